# The installed tree: bin, lib, include/rltrain, share. It runs from wherever it is moved to: programs find libmujoco
# by their run path and their data beside themselves, the pkg-config and CMake files find it from where they lie.
include(CMakePackageConfigHelpers)

install(TARGETS librl ARCHIVE DESTINATION lib)
if(programs)
  install(TARGETS ${programs} RUNTIME DESTINATION bin)
endif()
foreach(folder rl nets envs)
  install(
    DIRECTORY ${folder}
    DESTINATION include/rltrain
    FILES_MATCHING PATTERN "*.h" PATTERN cli EXCLUDE PATTERN view EXCLUDE PATTERN report EXCLUDE PATTERN models EXCLUDE)
endforeach()
install(DIRECTORY envs/models DESTINATION share/rltrain OPTIONAL FILES_MATCHING PATTERN "*.xml")
install(DIRECTORY configs DESTINATION share/rltrain OPTIONAL FILES_MATCHING PATTERN "*.ini")
install(FILES LICENSE docs/third-party.md DESTINATION share/doc/rltrain OPTIONAL)

# MuJoCo goes along: its headers are part of ours, its library is not to be had from Debian
get_filename_component(mujoco_file ${MuJoCo_LIBRARY} NAME)
install(DIRECTORY ${MuJoCo_INCLUDE_DIR}/mujoco DESTINATION include/rltrain)
install(FILES ${MuJoCo_LIBRARY} DESTINATION lib)
install(CODE "file(CREATE_LINK ${mujoco_file} \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/lib/libmujoco.so\" SYMBOLIC)")
install(DIRECTORY ${MUJOCO_DIR}/licenses/ DESTINATION share/doc/rltrain/mujoco OPTIONAL)

# what an optional part links, for the users of librl
if(RL_TENSORBOARD)
  set(rltrain_pc_optional " libprotobuf-c")
  set(rltrain_optional ProtobufC)
endif()
configure_file(cmake/rltrain.pc.in rltrain.pc @ONLY)
configure_file(cmake/rltrain-config.cmake rltrain-config.cmake @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/rltrain.pc DESTINATION lib/pkgconfig)
write_basic_package_version_file(rltrain-config-version.cmake COMPATIBILITY SameMinorVersion)
install(
  FILES ${CMAKE_BINARY_DIR}/rltrain-config.cmake cmake/FindOpenBLAS.cmake cmake/FindHdf5C.cmake cmake/FindXxHash.cmake
        cmake/FindInih.cmake cmake/FindProtobufC.cmake ${CMAKE_BINARY_DIR}/rltrain-config-version.cmake
  DESTINATION lib/cmake/rltrain)
