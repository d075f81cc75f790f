# What the live view and videos need: EGL, libjpeg-turbo, libwebsockets: target ViewParts::ViewParts, and
# ViewParts_MISSING, the Debian packages that are not there
find_path(VIEW_EGL_INCLUDE_DIR EGL/egl.h)
find_library(VIEW_EGL_LIBRARY EGL)
find_path(VIEW_TURBOJPEG_INCLUDE_DIR turbojpeg.h)
find_library(VIEW_TURBOJPEG_LIBRARY turbojpeg)
find_path(VIEW_WEBSOCKETS_INCLUDE_DIR libwebsockets.h)
find_library(VIEW_WEBSOCKETS_LIBRARY websockets)
set(ViewParts_MISSING)
foreach(part EGL:libegl-dev TURBOJPEG:libturbojpeg0-dev WEBSOCKETS:libwebsockets-dev)
  string(REPLACE ":" ";" part ${part})
  list(GET part 0 name)
  list(GET part 1 package)
  mark_as_advanced(VIEW_${name}_LIBRARY VIEW_${name}_INCLUDE_DIR)
  if(NOT VIEW_${name}_LIBRARY OR NOT VIEW_${name}_INCLUDE_DIR)
    list(APPEND ViewParts_MISSING ${package})
  endif()
endforeach()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  ViewParts REQUIRED_VARS VIEW_EGL_LIBRARY VIEW_EGL_INCLUDE_DIR VIEW_TURBOJPEG_LIBRARY VIEW_TURBOJPEG_INCLUDE_DIR
                          VIEW_WEBSOCKETS_LIBRARY VIEW_WEBSOCKETS_INCLUDE_DIR)

if(ViewParts_FOUND AND NOT TARGET ViewParts::ViewParts)
  add_library(ViewParts::ViewParts INTERFACE IMPORTED)
  set_target_properties(
    ViewParts::ViewParts
    PROPERTIES INTERFACE_LINK_LIBRARIES "${VIEW_EGL_LIBRARY};${VIEW_TURBOJPEG_LIBRARY};${VIEW_WEBSOCKETS_LIBRARY}"
               INTERFACE_INCLUDE_DIRECTORIES
               "${VIEW_EGL_INCLUDE_DIR};${VIEW_TURBOJPEG_INCLUDE_DIR};${VIEW_WEBSOCKETS_INCLUDE_DIR}")
endif()
