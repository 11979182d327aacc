// Files that are part of the program: cmake/embed.cmake defines them.
#pragma once

#include <span>
#include <string_view>

namespace skua::cli {

struct EmbeddedFile {
  std::string_view name;
  std::string_view content;
};

/// The project that `skua new` makes, from cli/template/: {{name}} stands for its name.
extern const std::span<const EmbeddedFile> project_template;

}  // namespace skua::cli
