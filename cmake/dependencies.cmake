# System libraries. A missing one names itself and the Debian package that holds it.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(ringlog_need_module name package)
  pkg_check_modules(${name} QUIET IMPORTED_TARGET ${ARGN})
  if(NOT ${name}_FOUND)
    message(FATAL_ERROR "${name} is missing: install the package ${package} (Debian, Ubuntu)")
  endif()
endfunction()

macro(ringlog_need_package name package)
  find_package(${name} QUIET ${ARGN})
  if(NOT ${name}_FOUND)
    message(FATAL_ERROR "${name} is missing: install the package ${package} (Debian, Ubuntu)")
  endif()
endmacro()

ringlog_need_module(liburing liburing-dev liburing>=2.3)
ringlog_need_module(lz4 liblz4-dev liblz4)
ringlog_need_module(zstd libzstd-dev libzstd)
ringlog_need_package(ZLIB zlib1g-dev)
ringlog_need_package(fmt libfmt-dev)
ringlog_need_package(Boost libboost1.81-dev 1.81)
ringlog_need_package(Snappy libsnappy-dev)
if(RINGLOG_TESTS)
  ringlog_need_package(GTest libgtest-dev)
endif()
