# find_package(rltrain) from an installed tree: target rltrain::rl, with everything it links
get_filename_component(rltrain_prefix ${CMAKE_CURRENT_LIST_DIR}/../../.. ABSOLUTE)

include(CMakeFindDependencyMacro)
list(PREPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR})
find_dependency(OpenBLAS)
find_dependency(Hdf5C)
find_dependency(XxHash)
find_dependency(Inih)
find_dependency(Threads)
set(rltrain_optional)
foreach(part @rltrain_optional@)
  find_dependency(${part})
  list(APPEND rltrain_optional ${part}::${part})
endforeach()
list(POP_FRONT CMAKE_MODULE_PATH)

if(NOT TARGET rltrain::rl)
  add_library(rltrain::mujoco SHARED IMPORTED)
  set_target_properties(rltrain::mujoco PROPERTIES IMPORTED_LOCATION ${rltrain_prefix}/lib/libmujoco.so)
  add_library(rltrain::rl STATIC IMPORTED)
  set_target_properties(
    rltrain::rl
    PROPERTIES IMPORTED_LOCATION ${rltrain_prefix}/lib/librl.a
               INTERFACE_INCLUDE_DIRECTORIES ${rltrain_prefix}/include/rltrain
               INTERFACE_LINK_LIBRARIES
               "rltrain::mujoco;OpenBLAS::OpenBLAS;Hdf5C::Hdf5C;XxHash::XxHash;Inih::Inih;${rltrain_optional};Threads::Threads;stdc++;m")
endif()
