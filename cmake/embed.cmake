# skua_embed(<variable> FOLDER <folder> HEADER <header> FILES <file>...)
#
# Writes a source file, whose path goes to <variable>, that defines what <header> declares:
#   const std::span<const skua::cli::EmbeddedFile> skua::cli::<variable>
# with the name and the content of each file of <folder>.
function(skua_embed variable)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "FOLDER;HEADER" "FILES")
  set(source "#include \"${arg_HEADER}\"\n\nnamespace skua::cli {\n\nstatic constexpr EmbeddedFile files[] = {\n")
  foreach(file IN LISTS arg_FILES)
    file(READ "${arg_FOLDER}/${file}" content)
    string(APPEND source "    {\"${file}\", R\"~~~~(${content})~~~~\"},\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${arg_FOLDER}/${file}")
  endforeach()
  string(APPEND source "};\nconst std::span<const EmbeddedFile> ${variable}(files);\n\n}  // namespace skua::cli\n")
  set(path "${CMAKE_CURRENT_BINARY_DIR}/${variable}.cpp")
  file(CONFIGURE OUTPUT "${path}" CONTENT "${source}" @ONLY)
  set(${variable} "${path}" PARENT_SCOPE)
endfunction()
