// One question to an address whose node may be unknown, and its answer. Single-threaded.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "net/dial.h"
#include "net/frame_stream.h"
#include "net/mesh_commons.h"

namespace brigade::net {

struct Exchanged {
  Hello peer;  // who answered
  std::string answer;
};

class Exchange final : public FrameStream::Listener, public std::enable_shared_from_this<Exchange> {
 public:
  using Done = std::function<void(base::Result<Exchanged>)>;

  // `done` is called once, never from within begin(); not at all if the exchange is destroyed.
  Exchange(MeshCommons& commons, std::string question, Done done);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void begin(const std::string& address, base::Duration patience);

  void on_frame(const Frame& frame) override;
  void on_closed(const std::string& reason) override;

 private:
  void greet(asio::ip::tcp::socket socket);
  void end(base::Result<Exchanged> result);
  void fail(const std::string& reason);
  // Of one that has not greeted as a peer does.
  void fail_unmet(const std::string& reason);

  MeshCommons& commons_;
  std::string question_;
  Done done_;
  std::string address_;
  std::shared_ptr<Dial> dial_;
  std::shared_ptr<FrameStream> stream_;
  std::optional<Hello> peer_;
  base::Duration patience_{0};
};

}  // namespace brigade::net
