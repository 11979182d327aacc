// Shutdown: which direction of a connection is ended.
#pragma once

#include <sys/socket.h>

namespace skua {

enum class Shutdown { read = SHUT_RD, write = SHUT_WR, both = SHUT_RDWR };

}  // namespace skua
