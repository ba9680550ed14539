// The front doors that this node's flags ask for. Single-threaded (the io_context's).
#pragma once

#include <optional>
#include <string>

#include <asio/io_context.hpp>

#include "api/desk.h"
#include "api/http_server.h"
#include "api/redis_server.h"
#include "app/options.h"
#include "base/result.h"

namespace brigade::app {

class Doors {
 public:
  // Opens them all, or says which address is in the way. `host` stands for this machine where a
  // door listens everywhere. Requires: `io` and `desk` outlive this.
  base::Status open(asio::io_context& io, const NodeOptions& options, const std::string& host,
                    api::Desk& desk);

  // Where they are, "off" when they are not open.
  [[nodiscard]] const std::string& redis_address() const { return redis_address_; }
  [[nodiscard]] const std::string& http_address() const { return http_address_; }

  // Writes out what was decided in this turn.
  void flush();
  void stop_accepting();
  // Closes every connection; what waits there is given up.
  void close();

 private:
  std::optional<api::RedisServer> redis_;
  std::optional<api::HttpServer> http_;
  std::string redis_address_ = "off";
  std::string http_address_ = "off";
};

}  // namespace brigade::app
