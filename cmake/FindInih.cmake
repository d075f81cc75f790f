# inih, the INI parser: target Inih::Inih
find_path(INIH_INCLUDE_DIR ini.h)
find_library(INIH_LIBRARY inih)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Inih REQUIRED_VARS INIH_LIBRARY INIH_INCLUDE_DIR)
mark_as_advanced(INIH_INCLUDE_DIR INIH_LIBRARY)

if(Inih_FOUND AND NOT TARGET Inih::Inih)
  add_library(Inih::Inih UNKNOWN IMPORTED)
  set_target_properties(Inih::Inih PROPERTIES IMPORTED_LOCATION ${INIH_LIBRARY}
                                              INTERFACE_INCLUDE_DIRECTORIES ${INIH_INCLUDE_DIR})
endif()
