// spawn(), as far as sources in a model need it: declared. The models have no runtime.
#pragma once

#include <skua/core/future.hpp>

#include <source_location>

namespace skua {

template <class T>
class JoinHandle;

template <Future F>
JoinHandle<Output<F>> spawn(F future, std::source_location at);

}  // namespace skua
