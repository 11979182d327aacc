// The acceptor: one task that takes connections and gives each a task of its own.
#pragma once

#include "http/connection.hpp"
#include "http/connection_limit.hpp"

#include <skua/skua.hpp>

namespace http {

/// Goes on until it is dropped. `service` and `limit` must outlive the runtime it is spawned on.
skua::Task<> accept_connections(skua::TcpListener listener, const Service& service, ConnectionLimit& limit);

}  // namespace http
