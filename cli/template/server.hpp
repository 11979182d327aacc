// The server: answers HTTP requests with the path that they ask for, one request per connection.
#pragma once

#include <skua/skua.hpp>

/// Until `stop` is cancelled; then it finishes the connections that it has.
skua::Task<skua::Result<void>> serve(skua::TcpListener listener, skua::CancellationToken stop);
