# MuJoCo >= 4.0 (the first with mjbatch.h): target MuJoCo::MuJoCo.
# MUJOCO_DIR names its tree: include/mujoco/, and the library in lib/ (a release) or at the top (the wheel).
# Nowhere else is searched, so that a build never takes a second MuJoCo by accident.
set(MuJoCo_INCLUDE_DIR MuJoCo_INCLUDE_DIR-NOTFOUND)
if(EXISTS ${MUJOCO_DIR}/include/mujoco/mjbatch.h)
  set(MuJoCo_INCLUDE_DIR ${MUJOCO_DIR}/include)
  file(STRINGS ${MuJoCo_INCLUDE_DIR}/mujoco/mujoco.h MuJoCo_VERSION REGEX "#define mjVERSION_HEADER ")
  string(REGEX REPLACE ".* 0*([0-9]+)([0-9][0-9][0-9])([0-9][0-9][0-9])$" "\\1.\\2.\\3" MuJoCo_VERSION
                       "${MuJoCo_VERSION}")
  string(REGEX REPLACE "\\.0+([0-9])" ".\\1" MuJoCo_VERSION "${MuJoCo_VERSION}")
endif()
set(MuJoCo_LIBRARY MuJoCo_LIBRARY-NOTFOUND)
file(GLOB MuJoCo_candidates ${MUJOCO_DIR}/lib/libmujoco.so.*.*.* ${MUJOCO_DIR}/libmujoco.so.*.*.*)
if(MuJoCo_candidates)
  list(GET MuJoCo_candidates 0 MuJoCo_LIBRARY)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  MuJoCo
  REQUIRED_VARS MuJoCo_LIBRARY MuJoCo_INCLUDE_DIR
  VERSION_VAR MuJoCo_VERSION
  REASON_FAILURE_MESSAGE "looked in MUJOCO_DIR=${MUJOCO_DIR}, which sh cmake/bootstrap.sh deps fills")

if(MuJoCo_FOUND AND NOT TARGET MuJoCo::MuJoCo)
  add_library(MuJoCo::MuJoCo SHARED IMPORTED)
  set_target_properties(MuJoCo::MuJoCo PROPERTIES IMPORTED_LOCATION ${MuJoCo_LIBRARY}
                                                  INTERFACE_INCLUDE_DIRECTORIES ${MuJoCo_INCLUDE_DIR})
endif()
