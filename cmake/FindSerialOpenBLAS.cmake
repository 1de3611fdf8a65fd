# OpenBLAS as a static library without threads of its own: products give the same bits for any number of threads, because
# sigad cuts them itself, and a host's BLAS is not touched. Debian and Ubuntu: libopenblas-serial-dev.
#
# Defines the target SerialOpenBLAS::SerialOpenBLAS.
find_library(SerialOpenBLAS_LIBRARY NAMES libopenblas.a PATH_SUFFIXES openblas-serial)
find_path(SerialOpenBLAS_INCLUDE_DIR NAMES cblas.h PATH_SUFFIXES openblas-serial)
mark_as_advanced(SerialOpenBLAS_LIBRARY SerialOpenBLAS_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(SerialOpenBLAS
  REQUIRED_VARS SerialOpenBLAS_LIBRARY SerialOpenBLAS_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "libopenblas.a and cblas.h of a serial OpenBLAS are needed (Debian, Ubuntu: libopenblas-serial-dev)")

if(SerialOpenBLAS_FOUND AND NOT TARGET SerialOpenBLAS::SerialOpenBLAS)
  add_library(SerialOpenBLAS::SerialOpenBLAS STATIC IMPORTED)
  set_target_properties(SerialOpenBLAS::SerialOpenBLAS PROPERTIES
    IMPORTED_LOCATION "${SerialOpenBLAS_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${SerialOpenBLAS_INCLUDE_DIR}")
endif()
