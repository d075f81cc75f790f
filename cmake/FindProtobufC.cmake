# protobuf-c, for TensorBoard's event files: target ProtobufC::ProtobufC; PROTOC_C is its compiler, if there is one
find_path(PROTOBUFC_INCLUDE_DIR protobuf-c/protobuf-c.h)
find_library(PROTOBUFC_LIBRARY protobuf-c)
find_program(PROTOC_C protoc-c)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ProtobufC REQUIRED_VARS PROTOBUFC_LIBRARY PROTOBUFC_INCLUDE_DIR)
mark_as_advanced(PROTOBUFC_INCLUDE_DIR PROTOBUFC_LIBRARY PROTOC_C)

if(ProtobufC_FOUND AND NOT TARGET ProtobufC::ProtobufC)
  add_library(ProtobufC::ProtobufC UNKNOWN IMPORTED)
  set_target_properties(ProtobufC::ProtobufC PROPERTIES IMPORTED_LOCATION ${PROTOBUFC_LIBRARY}
                                                        INTERFACE_INCLUDE_DIRECTORIES ${PROTOBUFC_INCLUDE_DIR})
endif()
