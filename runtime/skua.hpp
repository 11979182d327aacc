// Everything a program that uses Skua needs. (Configuration files and command lines: <skua/config/load.hpp>.)
#pragma once

#include <skua/builder.hpp>
#include <skua/core/log.hpp>
#include <skua/core/result.hpp>
#include <skua/core/task.hpp>
#include <skua/core/try.hpp>
#include <skua/core/wake.hpp>
#include <skua/handle.hpp>
#include <skua/net/tcp_listener.hpp>
#include <skua/net/tcp_stream.hpp>
#include <skua/process/child.hpp>
#include <skua/process/command.hpp>
#include <skua/process/exit_status.hpp>
#include <skua/runtime.hpp>
#include <skua/signal/signal.hpp>
#include <skua/spawn.hpp>
#include <skua/task/join.hpp>
#include <skua/task/select.hpp>
#include <skua/task/try_join.hpp>
#include <skua/task/yield_now.hpp>
#include <skua/time/interval.hpp>
#include <skua/time/sleep.hpp>
#include <skua/time/timeout.hpp>
