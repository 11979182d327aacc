// Every operation under every fault: see fault_case.hpp.
#include "fault_case.hpp"

#include <vector>

namespace skua::tests {
namespace {

const std::vector<OperationUnderTest>& all_operations() {
  static const std::vector<OperationUnderTest> all = [] {
    std::vector<OperationUnderTest> operations;
    for (const auto table : {&tcp_operations, &udp_operations, &unix_operations, &pipe_operations, &file_operations,
                             &path_operations, &process_operations, &signal_operations, &driver_operations}) {
      for (const OperationUnderTest& operation : table()) operations.push_back(operation);
    }
    return operations;
  }();
  return all;
}

std::vector<FaultCase> all_cases() {
  std::vector<FaultCase> cases;
  for (const OperationUnderTest& operation : all_operations()) {
    for (const FaultCase& one : cases_of(operation)) cases.push_back(one);
  }
  return cases;
}

class faults : public testing::TestWithParam<FaultCase> {};
INSTANTIATE_TEST_SUITE_P(of, faults, testing::ValuesIn(all_cases()),
                         [](const auto& parameter) { return name_of(parameter.param); });

TEST_P(faults, answered_as_documented) { run_case(GetParam()); }

}  // namespace
}  // namespace skua::tests
