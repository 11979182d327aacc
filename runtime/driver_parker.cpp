#include <skua/driver_parker.hpp>
#include <skua/monitor.hpp>

#include <utility>

namespace skua {

namespace {

class DriverParker final : public scheduler::Parker {
 public:
  DriverParker(Ref<reactor::Driver> driver, Monitor& monitor, Ref<Timekeeper> keeper)
      : driver_(std::move(driver)), monitor_(monitor), keeper_(std::move(keeper)) {}
  void park() override { driver_->park(); }
  void look(std::size_t most) override { driver_->look(most); }
  bool take_over() noexcept override { return driver_->take_over().has_value(); }
  void on_lent() noexcept override {
    if (keeper_) keeper_->begin();
  }
  void on_lender_done() noexcept override {
    if (keeper_) keeper_->release();
  }
  void on_awake() noexcept override { monitor_.on_worker_awake(); }
  void unpark() noexcept override { driver_->wake(); }

 private:
  const Ref<reactor::Driver> driver_;
  Monitor& monitor_;
  const Ref<Timekeeper> keeper_;
};

class DriverlessParker final : public scheduler::ThreadParker {
 public:
  DriverlessParker(Monitor& monitor, Ref<Timekeeper> keeper)
      : scheduler::ThreadParker(std::move(keeper)), monitor_(monitor) {}
  void on_awake() noexcept override { monitor_.on_worker_awake(); }

 private:
  Monitor& monitor_;
};

}  // namespace

std::unique_ptr<scheduler::Parker> make_worker_parker(Ref<reactor::Driver> driver, Monitor& monitor,
                                                      Ref<Timekeeper> keeper) {
  if (driver) return std::make_unique<DriverParker>(std::move(driver), monitor, std::move(keeper));
  return std::make_unique<DriverlessParker>(monitor, std::move(keeper));
}

}  // namespace skua
