#include "http/connection.hpp"

#include "http/peer.hpp"
#include "http/request_parser.hpp"

#include <optional>
#include <string>
#include <utility>

namespace http {
namespace {

constexpr std::size_t full_output = 64 * 1024;  // sent before more requests are answered

class Connection {
 public:
  Connection(skua::TcpStream stream, const Service& service)
      : service_(service), peer_(std::move(stream), service.timeouts), parser_(service.limits) {}

  skua::Task<> serve() {
    bool alive = true;
    while (alive && !closing_) {
      const Progress progress = parser_.next();
      if (progress == Progress::complete) {
        answer(parser_.request());
        if (output_.size() >= full_output) alive = co_await peer_.send(output_);
      } else if (progress == Progress::failed) {
        refuse(parser_.status());
      } else {
        if (parser_.take_continue()) output_ += "HTTP/1.1 100 Continue\r\n\r\n";
        if (!output_.empty()) alive = co_await peer_.send(output_);
        if (alive) alive = co_await receive();
      }
    }
    if (alive) alive = co_await peer_.send(output_);
    if (alive) co_await peer_.part(parser_.prepare());
  }

 private:
  void answer(const Request& request) {
    const Persistence persistence = !request.keep_alive          ? Persistence::close
                                    : request.minor_version == 0 ? Persistence::keep_alive_1_0
                                                                 : Persistence::keep_alive;
    append_response(output_, service_.routes.answer(request), persistence, request.method != "HEAD");
    closing_ = !request.keep_alive;
    phase_.reset();
  }

  void refuse(Status status) {
    append_response(output_, status_response(status), Persistence::close);
    closing_ = true;
  }

  // False if there is no more to do than to close.
  skua::Task<bool> receive() {
    if (phase_ != parser_.phase()) start_phase(parser_.phase());
    std::size_t count = 0;
    const Received received = co_await peer_.receive(parser_.prepare(), count);
    parser_.commit(count);
    const bool late = received == Received::nothing_in_time && phase_ != Phase::idle;
    if (late) refuse(Status::request_timeout);
    co_return late || received == Received::bytes;
  }

  // A phase has one deadline: who sends a byte now and then does not prolong it.
  void start_phase(Phase phase) {
    const Timeouts& timeouts = service_.timeouts;
    phase_ = phase;
    peer_.expect(phase == Phase::idle ? timeouts.idle : phase == Phase::head ? timeouts.header : timeouts.body);
  }

  const Service& service_;
  Peer peer_;
  RequestParser parser_;
  std::string output_;
  std::optional<Phase> phase_;  // that the deadline is for; nothing once a request has been answered
  bool closing_ = false;
};

}  // namespace

skua::Task<> serve_connection(skua::TcpStream stream, const Service& service) {
  Connection connection(std::move(stream), service);
  co_await connection.serve();
}

}  // namespace http
