// A connection: reads requests, answers them in order, and closes when it is time to.
//
// All requests that one read brought are answered with one write. A peer that is slow meets a deadline (timeouts.hpp),
// one that speaks nonsense gets an error status; both then lose the connection. After its last answer the server
// closes its side and reads on for a moment: to close at once, with bytes unread, would reset the connection and could
// take the answer from the peer.
#pragma once

#include "http/limits.hpp"
#include "http/routes.hpp"
#include "http/timeouts.hpp"

#include <skua/skua.hpp>

namespace http {

/// What all connections share; must outlive them.
struct Service {
  Routes routes;
  Limits limits;
  Timeouts timeouts;
};

/// Completes when the connection is over; what its peer does is no error. Cancel safety: dropping it closes the stream.
skua::Task<> serve_connection(skua::TcpStream stream, const Service& service);

}  // namespace http
