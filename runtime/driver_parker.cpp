#include <skua/driver_parker.hpp>
#include <skua/monitor.hpp>

#include <utility>

namespace skua {

namespace {

class DriverParker final : public scheduler::Parker {
 public:
  DriverParker(Ref<reactor::Driver> driver, Monitor& monitor) : driver_(std::move(driver)), monitor_(monitor) {}
  void park() override { driver_->park(); }
  void look() override { driver_->look(); }
  bool take_over() noexcept override { return driver_->take_over().has_value(); }
  void on_awake() noexcept override { monitor_.on_worker_awake(); }
  void unpark() noexcept override { driver_->wake(); }

 private:
  const Ref<reactor::Driver> driver_;
  Monitor& monitor_;
};

class DriverlessParker final : public scheduler::ThreadParker {
 public:
  explicit DriverlessParker(Monitor& monitor) : monitor_(monitor) {}
  void on_awake() noexcept override { monitor_.on_worker_awake(); }

 private:
  Monitor& monitor_;
};

}  // namespace

std::unique_ptr<scheduler::Parker> make_worker_parker(Ref<reactor::Driver> driver, Monitor& monitor) {
  if (driver) return std::make_unique<DriverParker>(std::move(driver), monitor);
  return std::make_unique<DriverlessParker>(monitor);
}

}  // namespace skua
