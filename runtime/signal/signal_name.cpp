#include <skua/signal/signal_name.hpp>

#include <csignal>
#include <cstring>

namespace skua {

std::string signal_name(int number) {
  if (const char* const name = ::sigabbrev_np(number)) return std::string("SIG").append(name);
  if (number < SIGRTMIN || number > SIGRTMAX) return std::string("signal ").append(std::to_string(number));
  const int above = number - SIGRTMIN;
  return above == 0 ? std::string("SIGRTMIN") : std::string("SIGRTMIN+").append(std::to_string(above));
}

}  // namespace skua
