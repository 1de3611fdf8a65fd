# cmake --install: headers, library, CMake package (find_package(sigad) gives sigad::sigad) and sigad.pc.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sigad)

install(TARGETS sigad EXPORT sigadTargets)
install(DIRECTORY include/sigad DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(EXPORT sigadTargets NAMESPACE sigad:: DESTINATION ${package_dir})
configure_package_config_file(cmake/sigadConfig.cmake.in sigadConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(sigadConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sigadConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/sigadConfigVersion.cmake
        DESTINATION ${package_dir})
if(NOT BUILD_SHARED_LIBS)
  install(FILES cmake/FindSerialOpenBLAS.cmake DESTINATION ${package_dir})
endif()

# sigad.pc finds its prefix from where it lies, so that an installed tree can be moved.
file(RELATIVE_PATH up "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
string(REGEX REPLACE "/$" "" up "${up}")
set(SIGAD_PC_PREFIX "\${pcfiledir}/${up}")
set(SIGAD_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
set(SIGAD_PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
  set(SIGAD_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
  set(SIGAD_PC_LIBDIR "${CMAKE_INSTALL_FULL_LIBDIR}")
  set(SIGAD_PC_INCLUDEDIR "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
endif()

# Whoever links the static library needs what stands behind it, too; with the shared one that is the linker's business.
list(JOIN SIGAD_PKG_CONFIG_MODULES " " modules)
list(JOIN OpenMP_C_LIBRARIES " " libraries)
string(PREPEND libraries "${SerialOpenBLAS_LIBRARY} ")
if(BUILD_SHARED_LIBS)
  set(SIGAD_PC_BEHIND "Requires.private: ${modules}\nLibs: -L\${libdir} -lsigad\nLibs.private: ${libraries} -lm")
else()
  set(SIGAD_PC_BEHIND "Requires: ${modules}\nLibs: -L\${libdir} -lsigad ${SIGAD_BLAS_WRAP} ${libraries} -lm")
endif()
configure_file(cmake/sigad.pc.in sigad.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sigad.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
