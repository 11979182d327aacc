// Routes: which handler answers which method and path.
#pragma once

#include "http/request.hpp"
#include "http/response.hpp"

#include <vector>

namespace http {

class Routes {
 public:
  /// What it returns may point into the request.
  using Handler = Response (*)(const Request& request);

  /// `method` and `path` must live as long as the routes: give literals.
  Routes& add(std::string_view method, std::string_view path, Handler handler);

  /// The handler's response; 404 for an unknown path, 405 for another method. HEAD goes to the handler of GET.
  Response answer(const Request& request) const;

 private:
  struct Route {
    std::string_view method;
    std::string_view path;
    Handler handler;
  };
  std::vector<Route> routes_;
};

/// GET /plaintext, GET /json, POST /echo.
Routes example_routes();

}  // namespace http
