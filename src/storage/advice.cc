#include "storage/advice.h"

#include <cerrno>
#include <system_error>

namespace brigade::storage {

base::Error advise_full(const std::string& path) {
  return {"the disk of " + path + " is full: free some space on it, then start the node again"};
}

base::Error advise_in_use(const std::string& path) {
  return {path +
          " is in use by another process: stop the node that runs there, or give this one its own "
          "directory with --data"};
}

base::Error advise_damaged(const std::string& path, const std::string& what) {
  return {path + " is damaged (" + what +
          "): this node cannot prove that it kept what it promised. Keep the directory for "
          "diagnosis, start the node with an empty one, so that it joins as a new node, and forget "
          "the old one with `brigade remove`"};
}

base::Error advise(int code, const std::string& path) {
  switch (code) {
    case ENOSPC:
    case EDQUOT:
      return advise_full(path);
    case EACCES:
    case EPERM:
      return {path +
              " cannot be written by this user: change its owner or mode, or give another "
              "directory with --data"};
    case EROFS:
      return {path +
              " is on a read-only file system: mount it writable, or give another directory "
              "with --data"};
    case ENOTDIR:
    case EEXIST:
      return {path +
              " is not a directory: remove the file in its place, or give another directory "
              "with --data"};
    default:
      return {path + ": " + std::generic_category().message(code) +
              ": give another directory with --data"};
  }
}

}  // namespace brigade::storage
