# Is there a CUDA compiler? SIGAD_WITH_CUDA says so; SIGAD_CUDA_SOURCES and SIGAD_CUDA_OPTIONS are for whoever compiles the kernels.
file(GLOB SIGAD_CUDA_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/ops/cuda/*.cu
  ${PROJECT_SOURCE_DIR}/src/ops/cuda/dense/*.cu ${PROJECT_SOURCE_DIR}/src/train/rules/*.cu)
set(SIGAD_WITH_CUDA OFF)
if(SIGAD_CUDA STREQUAL "ON" OR SIGAD_CUDA STREQUAL "AUTO")
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    # Machine code for two generations, and PTX from which the driver makes it for later ones.
    if(NOT CMAKE_CUDA_ARCHITECTURES)
      set(CMAKE_CUDA_ARCHITECTURES 80-real 90)
    endif()
    enable_language(CUDA)
    find_package(CUDAToolkit REQUIRED)
    list(APPEND SIGAD_DEPENDENCIES CUDA::cudart_static)
    set(SIGAD_WITH_CUDA ON)
  elseif(SIGAD_CUDA STREQUAL "ON")
    message(FATAL_ERROR "SIGAD_CUDA is ON, but there is no CUDA compiler (set CMAKE_CUDA_COMPILER, or put nvcc on the path)")
  endif()
elseif(NOT SIGAD_CUDA STREQUAL "OFF")
  message(FATAL_ERROR "SIGAD_CUDA is ${SIGAD_CUDA}, must be AUTO, ON or OFF")
endif()
message(STATUS "Kernels for CUDA devices: ${SIGAD_WITH_CUDA}")

# Nothing that needs the C++ runtime. The launcher writes what the compiler says of registers and spills beside each object.
set(SIGAD_CUDA_OPTIONS --Werror=all-warnings --resource-usage
  "SHELL:-Xcompiler -Wall,-Wextra,-fno-exceptions,-fno-rtti,-fno-threadsafe-statics,-fvisibility=hidden")
set(SIGAD_CUDA_LAUNCHER ${PROJECT_SOURCE_DIR}/cmake/cuda-compile.sh)
