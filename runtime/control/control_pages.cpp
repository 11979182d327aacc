#include <skua/control/control_pages.hpp>
#include <skua/control/page.hpp>
#include <skua/metrics.hpp>
#include <skua/metrics/spawn_sites.hpp>
#include <skua/option_table.hpp>
#include <skua/runtime_core.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <span>
#include <string_view>

namespace skua {

namespace {

using enum PageTable::Align;

// A worker that has not looked at its driver for so long is taken for stuck.
constexpr Duration stuck_after = std::chrono::seconds(1);
constexpr std::size_t tasks_shown = 1000;
constexpr std::size_t sites_shown = 50;

// --- how numbers look

std::string rounded(double value, std::string_view unit) {
  std::array<char, 32> text;
  const char* const format = value < 10 ? "%.2f " : value < 100 ? "%.1f " : "%.0f ";
  const int length = std::snprintf(text.data(), text.size(), format, value);
  return std::string(text.data(), static_cast<std::size_t>(length)).append(unit);
}

std::string human(Duration duration) {
  const auto ns = static_cast<double>(duration.count());
  if (ns == 0) return "0";
  if (ns < 1e3) return rounded(ns, "ns");
  if (ns < 1e6) return rounded(ns / 1e3, "µs");
  if (ns < 1e9) return rounded(ns / 1e6, "ms");
  if (ns < 120e9) return rounded(ns / 1e9, "s");
  return ns < 7200e9 ? rounded(ns / 60e9, "min") : rounded(ns / 3600e9, "h");
}

std::string human_bytes(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (bytes < 10'000) return std::to_string(bytes) + " B";
  return bytes < 10'000'000 ? rounded(value / 1024, "KiB") : rounded(value / (1024 * 1024), "MiB");
}

std::string share(Duration part, Duration whole) {
  if (whole <= Duration::zero()) return "-";
  return rounded(100.0 * static_cast<double>(part.count()) / static_cast<double>(whole.count()), "%");
}

std::string number(std::uint64_t value) { return std::to_string(value); }

std::string line_of(std::source_location at) {
  return at.line() == 0 ? "" : std::string(at.file_name()) + ":" + std::to_string(at.line());
}

// --- pages

bool is_stuck(const WorkerMetrics& worker) noexcept { return worker.since_look >= stuck_after; }

std::string state_of(const WorkerMetrics& worker) {
  if (worker.is_sleeping) return "sleeping";
  return is_stuck(worker) ? "stuck for " + human(worker.since_look) : "awake";
}

std::string_view name_of(Backend backend) noexcept { return backend == Backend::epoll ? "epoll" : "io_uring"; }

const std::vector<PageLink>& links() {
  static const std::vector<PageLink> all = {
      {"/", "this page"},
      {"/workers", "what each worker does, and has done"},
      {"/tasks", "the tasks that are alive: what they do, where they wait, where they were spawned"},
      {"/io", "drivers, timers, descriptors, the blocking pool"},
      {"/config", "the options, and who set them"},
      {"/metrics", "all numbers, for Prometheus"},
      {"/healthz", "200 as long as the process answers"},
      {"/readyz", "200 while workers make progress; 503 with the reason when all are stuck, or the runtime ends"},
  };
  return all;
}

Page index_page(const Metrics& metrics) {
  Page page;
  page.title = std::string(program_invocation_short_name) + ", process " + std::to_string(::getpid());
  page.remarks.push_back("up for " + human(metrics.period) + ", " + number(metrics.workers.size()) + " workers on " +
                         std::string(name_of(metrics.backend)) + ", " + number(metrics.alive_tasks()) +
                         " tasks alive of " + number(metrics.scheduler.spawned));
  PageTable& pages = page.tables.emplace_back("", std::vector<PageTable::Column>{{"page"}, {"what it shows"}});
  pages.first_is_link = true;
  for (const PageLink& link : links()) pages.rows.push_back({std::string(link.path), std::string(link.about)});
  return page;
}

Page workers_page(const Metrics& metrics) {
  Page page;
  page.title = "Workers";
  page.remarks.push_back("Counted since the start, " + human(metrics.period) +
                         " ago. Inject queue: " + number(metrics.scheduler.inject_depth) +
                         " tasks. Woken or spawned by other threads: " + number(metrics.scheduler.remote_schedules) +
                         ".");
  PageTable& table = page.tables.emplace_back("", std::vector<PageTable::Column>{{"worker", right},
                                                                                 {"state"},
                                                                                 {"busy", right},
                                                                                 {"polls", right},
                                                                                 {"from LIFO", right},
                                                                                 {"queue", right},
                                                                                 {"stolen", right},
                                                                                 {"injected", right},
                                                                                 {"parks", right},
                                                                                 {"for nothing", right},
                                                                                 {"wakes sent", right},
                                                                                 {"mean poll", right},
                                                                                 {"longest poll", right},
                                                                                 {"stalls", right}});
  for (std::size_t i = 0; i < metrics.workers.size(); ++i) {
    const WorkerMetrics& worker = metrics.workers[i];
    table.rows.push_back({number(i), state_of(worker), share(worker.busy, metrics.period), number(worker.polls),
                          number(worker.lifo_polls), number(worker.queue_depth), number(worker.stolen_tasks),
                          number(worker.inject_tasks), number(worker.parks), number(worker.parks_without_work),
                          number(worker.wakes_sent),
                          worker.mean_poll == Duration::zero() ? "-" : human(worker.mean_poll),
                          human(worker.longest_poll), number(worker.stalls)});
  }
  return page;
}

PageTable sites_table(std::span<const SpawnSite> sites) {
  PageTable table("By the place where they were spawned", {{"tasks", right}, {"memory", right}, {"spawned at"}});
  for (const SpawnSite& site : sites.first(std::min(sites.size(), sites_shown))) {
    table.rows.push_back({number(site.tasks), human_bytes(site.bytes), line_of(site.at)});
  }
  return table;
}

std::string phase_of(const TaskSnapshot& task) {
  if (task.blocks && task.phase == TaskPhase::queued) return "waits for a thread";
  if (task.blocks && task.phase == TaskPhase::running) return "blocks";
  return std::string(to_string(task.phase));
}

Page tasks_page(RuntimeCore& core, std::size_t most) {
  Page page;
  page.title = "Tasks";
  const std::size_t alive = core.scheduler().alive_tasks();
  std::vector<TaskSnapshot> tasks = core.tasks(most);
  std::ranges::sort(tasks, {}, &TaskSnapshot::id);
  page.remarks.push_back(number(alive) + " alive" +
                         (alive > tasks.size() ? ", " + number(tasks.size()) + " shown: /tasks?most=N shows N" : ""));
  page.tables.push_back(sites_table(count_by_spawn_site(core.scheduler())));
  PageTable& table = page.tables.emplace_back(
      "Each", std::vector<PageTable::Column>{
                  {"task", right}, {"name"}, {"state"}, {"memory", right}, {"waits at"}, {"spawned at"}});
  for (const TaskSnapshot& task : tasks) {
    table.rows.push_back({task.id.to_string(), task.name, phase_of(task), human_bytes(task.bytes),
                          line_of(task.waits_at), line_of(task.spawned_at)});
  }
  return page;
}

PageTable drivers_table(const Metrics& metrics) {
  PageTable table("Drivers", {{"driver"},
                              {"descriptors", right},
                              {"timers", right},
                              {"events", right},
                              {"fired", right},
                              {"waits", right},
                              {"enters", right},
                              {"completions", right},
                              {"CQ overflows", right},
                              {"signals", right},
                              {"harvests", right}});
  for (std::size_t i = 0; i < metrics.drivers.size(); ++i) {
    const DriverMetrics& driver = metrics.drivers[i];
    const bool is_workers = metrics.reactor_mode == ReactorMode::workers && i < metrics.workers.size();
    table.rows.push_back({is_workers ? "worker " + number(i) : "reactor", number(driver.sources), number(driver.timers),
                          number(driver.events), number(driver.timers_fired), number(driver.poller.waits),
                          number(driver.poller.enters), number(driver.poller.completions),
                          number(driver.poller.overflows), number(driver.poller.signals), number(driver.harvests)});
  }
  return table;
}

Page io_page(const Metrics& metrics) {
  Page page;
  page.title = "I/O";
  page.remarks.push_back("On " + std::string(name_of(metrics.backend)) +
                         ". Requests for files that have not ended: " + number(metrics.operations) + ".");
  page.tables.push_back(drivers_table(metrics));
  const BlockingMetrics& pool = metrics.blocking;
  PageTable& table =
      page.tables.emplace_back("Blocking pool", std::vector<PageTable::Column>{{"threads", right},
                                                                               {"idle", right},
                                                                               {"calls that wait", right},
                                                                               {"done", right},
                                                                               {"withdrawn", right},
                                                                               {"refused", right}});
  table.rows.push_back({number(pool.threads), number(pool.idle_threads), number(pool.queue_depth), number(pool.calls),
                        number(pool.withdrawn), number(pool.refused)});
  return page;
}

Page config_page(const Options& options) {
  Page page;
  page.title = "Configuration";
  page.remarks.emplace_back("As it is now; for auto, what it came to at the start.");
  PageTable& table =
      page.tables.emplace_back("", std::vector<PageTable::Column>{{"option"}, {"value"}, {"set by"}, {"allowed"}});
  for (const OptionEntry& entry : option_table()) {
    table.rows.push_back(
        {std::string(entry.key), entry.value(options), entry.origin(options).describe(), entry.takes()});
  }
  return page;
}

HttpResponse readiness(const Metrics& metrics, bool is_ending) {
  HttpResponse response;
  response.body = "ready\n";
  if (is_ending) {
    response.status = 503;
    response.body = "not ready: the runtime is being shut down\n";
  } else if (std::ranges::all_of(metrics.workers, is_stuck)) {
    response.status = 503;
    response.body = "not ready: all workers are stuck, each inside of one poll\n";
    for (std::size_t i = 0; i < metrics.workers.size(); ++i) {
      response.body += "worker " + number(i) + ": for " + human(metrics.workers[i].since_look) + "\n";
    }
  }
  return response;
}

HttpResponse plain(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

HttpResponse rendered(const HttpRequest& request, const Page& page) {
  if (!request.wants_html) return plain(200, render_text(page));
  HttpResponse response = plain(200, render_html(page, request.path, links()));
  response.content_type = "text/html; charset=utf-8";
  return response;
}

HttpResponse metrics_text(RuntimeCore& core) {
  HttpResponse response = plain(200, to_prometheus(core.metrics(), count_by_spawn_site(core.scheduler())));
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  return response;
}

}  // namespace

HttpResponse answer(const HttpRequest& request, RuntimeCore& core, bool is_ending) {
  const std::string_view path = request.path;
  if (path == "/healthz") return plain(200, "ok\n");
  if (path == "/readyz") return readiness(core.metrics(), is_ending);
  if (path == "/metrics") return metrics_text(core);
  if (path == "/") return rendered(request, index_page(core.metrics()));
  if (path == "/workers") return rendered(request, workers_page(core.metrics()));
  if (path == "/tasks") return rendered(request, tasks_page(core, request.number("most").value_or(tasks_shown)));
  if (path == "/io") return rendered(request, io_page(core.metrics()));
  if (path == "/config") return rendered(request, config_page(core.configuration()));
  return refusal(404, "no such page; / lists them all");
}

HttpResponse refusal(int status, std::string_view why) {
  std::string body = std::to_string(status);
  body.append(" ").append(HttpResponse::reason(status));
  if (!why.empty()) body.append(": ").append(why);
  return plain(status, body + "\n");
}

}  // namespace skua
