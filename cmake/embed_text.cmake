# Writes a C file that holds text files, each as a constant with a NUL behind, named after the file:
#   cmake -DPREFIX=rl_page_ -DHEADER=rl/report/page.h "-DFILES=style.css;script.js" -DOUT=text.c -P cmake/embed_text.cmake
cmake_minimum_required(VERSION 3.25)
set(arrays "")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(........................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," hex "${hex}")
  string(APPEND arrays "\nconst char ${PREFIX}${name}[] = {\n${hex}0};\n")
endforeach()
file(WRITE ${OUT} "// Written by cmake/embed_text.cmake.\n#include \"${HEADER}\"\n${arrays}")
