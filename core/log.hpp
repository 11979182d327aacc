// The runtime's few messages (a back end that was refused, an ignored setting) and where they go.
#pragma once

#include <string_view>

namespace skua {

enum class LogLevel { info, warning, error };

/// Receives every message; called from any thread, possibly from several at once. Must not throw.
using LogSink = void (*)(LogLevel level, std::string_view message);

/// Replaces the sink (default: one line on standard error, from `warning` up). nullptr restores the default.
void set_log_sink(LogSink sink) noexcept;

/// Sends a message to the sink.
void log(LogLevel level, std::string_view message) noexcept;

}  // namespace skua
