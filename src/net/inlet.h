// A connection that another node opened: greets it, then hands on its messages, or its one
// question. Single-threaded.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "net/frame_stream.h"
#include "net/mesh_commons.h"

namespace brigade::net {

class Inlet final : public FrameStream::Listener, public std::enable_shared_from_this<Inlet> {
 public:
  class Owner {
   public:
    // Whether this node goes on with them; called once per inlet.
    virtual std::optional<Refused> inlet_greeted(Inlet& inlet, const Hello& theirs) = 0;
    virtual void inlet_message(const Inlet& inlet, std::string_view message) = 0;
    // Answered by answer(), now or later.
    virtual void inlet_question(Inlet& inlet, std::string_view question) = 0;
    virtual void inlet_closed(Inlet& inlet) = 0;

   protected:
    ~Owner() = default;
  };

  Inlet(MeshCommons& commons, asio::ip::tcp::socket socket, Owner& owner);
  ~Inlet();
  Inlet(const Inlet&) = delete;
  Inlet& operator=(const Inlet&) = delete;

  void start();
  void answer(std::string text);
  void refuse(const Refused& refused);
  void close();
  // Its node is one that this node knows: large frames are welcome.
  void trust();

  // Whether a message came within this time.
  [[nodiscard]] bool spoke_within(base::Duration time) const;
  // Who is there; none until this node goes on with them.
  [[nodiscard]] const std::optional<Hello>& peer() const { return peer_; }

  void on_frame(const Frame& frame) override;
  void on_closed(const std::string& reason) override;

 private:
  void greeting(const Frame& frame);

  MeshCommons& commons_;
  std::shared_ptr<FrameStream> stream_;
  Owner& owner_;
  std::optional<Hello> peer_;
  std::optional<std::chrono::steady_clock::time_point> spoke_;
  bool asked_ = false;
  bool trusted_ = false;
};

}  // namespace brigade::net
