# C++ from the message definitions (cpp/**/*.kmsg), made in the build directory, part of a target.

find_package(Python3 REQUIRED COMPONENTS Interpreter)

function(ringlog_messages target)
  set(top ${CMAKE_SOURCE_DIR}/cpp)
  set(output ${CMAKE_BINARY_DIR}/generated)
  file(GLOB_RECURSE definitions CONFIGURE_DEPENDS RELATIVE ${top} ${top}/protocol/*.kmsg)
  file(GLOB generator CONFIGURE_DEPENDS ${top}/protocol/*.py)
  set(results ${output}/protocol/wire/api_table.h ${output}/protocol/wire/api_list.h)
  foreach(definition ${definitions})
    get_filename_component(folder ${definition} DIRECTORY)
    string(REGEX REPLACE "kmsg$" "h" header ${definition})
    list(APPEND results ${output}/${header} ${output}/${folder}/messages.h
                        ${output}/${folder}/messages.cc)
  endforeach()
  list(REMOVE_DUPLICATES results)
  set(inputs ${definitions})
  list(TRANSFORM inputs PREPEND ${top}/)
  # The generator keeps the time of files that do not change, so its own run has a stamp.
  set(stamp ${output}/messages.stamp)
  add_custom_command(
    OUTPUT ${stamp}
    BYPRODUCTS ${results}
    COMMAND ${Python3_EXECUTABLE} -B ${top}/protocol/generate.py ${top} ${output} ${definitions}
    COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
    DEPENDS ${generator} ${inputs}
    COMMENT "generating messages"
    VERBATIM)
  target_sources(${target} PRIVATE ${stamp} ${results})
  target_include_directories(${target} PUBLIC ${output})
endfunction()
