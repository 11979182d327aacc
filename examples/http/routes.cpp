#include "http/routes.hpp"

#include <utility>

namespace http {
namespace {

Response plaintext(const Request&) {
  Response response;
  response.body = "Hello, World!";
  return response;
}

Response json(const Request&) {
  Response response;
  response.content_type = "application/json";
  response.body = R"({"message":"Hello, World!"})";
  return response;
}

Response echo(const Request& request) {
  Response response;
  response.content_type = "application/octet-stream";
  response.body = request.body;
  return response;
}

}  // namespace

Routes& Routes::add(std::string_view method, std::string_view path, Handler handler) {
  routes_.push_back({method, path, handler});
  return *this;
}

Response Routes::answer(const Request& request) const {
  const std::string_view path = request.path();
  const std::string_view method = request.method == "HEAD" ? "GET" : request.method;
  std::string allow;
  for (const Route& route : routes_) {
    if (route.path != path) continue;
    if (route.method == method) return route.handler(request);
    allow.append(allow.empty() ? "" : ", ").append(route.method);
    if (route.method == "GET") allow += ", HEAD";
  }
  Response response = status_response(allow.empty() ? Status::not_found : Status::method_not_allowed);
  response.allow = std::move(allow);
  return response;
}

Routes example_routes() {
  Routes routes;
  routes.add("GET", "/plaintext", plaintext).add("GET", "/json", json).add("POST", "/echo", echo);
  return routes;
}

}  // namespace http
