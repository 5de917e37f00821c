// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// The boxes between weak references and their objects. A heap knows the boxes of each object that
// has some; nothing of it lies in the object, whose memory goes when it dies.

#include "refgc/weak.h"

#include <atomic>
#include <cstdio>
#include <exception>

#include "refgc/state.h"

namespace refgc {

namespace detail {

namespace {

unraisable_hook& hook() {
  static unraisable_hook* const the_hook = new unraisable_hook;  // outlives all destructors
  return *the_hook;
}

weak_box* add_box(object_header* target, std::function<void()> callback) {
  if (target->count == 0 || (target->flags & kDying) != 0) {
    return nullptr;
  }
  auto* box = new weak_box;
  box->target = target;
  box->holders = 1;
  box->callback = std::move(callback);
  static std::atomic<uint64_t> made{0};
  box->sequence = ++made;
  weak_box*& first = heap_of(target)->weaks[target];
  box->next = first;
  first = box;
  target->flags |= kHasWeak;
  return box;
}

void call(weak_box* box) {
  const std::function<void()> callback = std::exchange(box->callback, nullptr);
  if (callback == nullptr) {
    return;
  }
  try {
    callback();
  } catch (...) {
    report_unraisable(box->is_finalizer ? "on_destroy" : "weak callback", nullptr);
  }
}

// The list of the object's boxes, which know it no longer.
weak_box* take_boxes(object_header* header) {
  auto& weaks = heap_of(header)->weaks;
  const auto at = weaks.find(header);
  weak_box* first = at == weaks.end() ? nullptr : at->second;
  if (first != nullptr) {
    weaks.erase(at);
  }
  header->flags &= static_cast<uint8_t>(~kHasWeak);
  return first;
}

}  // namespace

void report_unraisable(const char* where, const char* type_name) {
  const std::string name = type_name == nullptr ? "" : readable_name(type_name);
  if (hook() != nullptr) {
    hook()(where, name.c_str());
    return;
  }
  const char* what = "something that is no std::exception";
  try {
    throw;
  } catch (const std::exception& e) {
    what = e.what();
    std::fprintf(stderr, "refgc: exception ignored in %s%s%s: %s\n", where,
                 name.empty() ? "" : " of ", name.c_str(), what);
  } catch (...) {
    std::fprintf(stderr, "refgc: exception ignored in %s%s%s: %s\n", where,
                 name.empty() ? "" : " of ", name.c_str(), what);
  }
}

weak_box* weak_box_for(object_header* target) {
  if ((target->flags & kHasWeak) != 0) {
    for (weak_box* box = heap_of(target)->weaks[target]; box != nullptr; box = box->next) {
      if (box->callback == nullptr && !box->is_finalizer) {
        ++box->holders;
        return box;
      }
    }
  }
  return add_box(target, nullptr);
}

weak_box* weak_box_with(object_header* target, std::function<void()> callback) {
  return add_box(target, std::move(callback));
}

weak_box* finalizer_box(object_header* target, std::function<void()> callback) {
  weak_box* box = add_box(target, std::move(callback));
  if (box != nullptr) {
    box->is_finalizer = true;
    box->at_exit = true;
    ++box->holders;  // the plan's own, until it is done
  }
  return box;
}

void unlink_weak_box(weak_box* box) {
  object_header* target = std::exchange(box->target, nullptr);
  if (target == nullptr) {
    return;
  }
  auto& weaks = heap_of(target)->weaks;
  const auto at = weaks.find(target);
  if (at != weaks.end()) {
    for (weak_box** link = &at->second; *link != nullptr; link = &(*link)->next) {
      if (*link == box) {
        *link = box->next;
        break;
      }
    }
    if (at->second == nullptr) {
      weaks.erase(at);
      target->flags &= static_cast<uint8_t>(~kHasWeak);
    }
  }
  box->next = nullptr;
}

void drop_weak_box(weak_box* box) {
  if (--box->holders == 0) {
    unlink_weak_box(box);
    delete box;
  }
}

std::function<void()> take_finalizer(weak_box* box) {
  std::function<void()> callback = std::exchange(box->callback, nullptr);
  if (callback != nullptr && box->is_finalizer) {
    unlink_weak_box(box);
    drop_weak_box(box);  // the plan's
  }
  return callback;
}

void take_weak_callbacks(object_header* header, std::vector<weak_box*>* calls) {
  auto& weaks = heap_of(header)->weaks;
  const auto at = weaks.find(header);
  std::vector<weak_box*> mine;
  for (weak_box* box = at == weaks.end() ? nullptr : at->second; box != nullptr; box = box->next) {
    if (box->callback != nullptr) {
      mine.push_back(box);
    }
  }
  for (weak_box* box : mine) {
    unlink_weak_box(box);
    if (box->holders_inside == box->holders) {
      box->callback = nullptr;  // it dies with its object
    } else {
      ++box->holders;
      calls->push_back(box);
    }
  }
}

void run_weak_callbacks(std::vector<weak_box*>* calls) {
  for (weak_box* box : *calls) {
    const bool was_planned = box->is_finalizer && box->callback != nullptr;
    call(box);
    if (was_planned) {
      --box->holders;  // the plan's
    }
    drop_weak_box(box);  // the call's
  }
  calls->clear();
}

void clear_weak(object_header* header) {
  std::vector<weak_box*> calls;
  weak_box* box = take_boxes(header);
  while (box != nullptr) {
    weak_box* next = std::exchange(box->next, nullptr);
    box->target = nullptr;
    if (box->callback != nullptr) {
      ++box->holders;
      calls.push_back(box);
    }
    box = next;
  }
  run_weak_callbacks(&calls);
}

void clear_weak_late(object_header* header, std::vector<weak_box*>* calls) {
  weak_box* box = take_boxes(header);
  while (box != nullptr) {
    box->target = nullptr;
    if (box->is_finalizer && box->callback != nullptr) {
      ++box->holders;
      calls->push_back(box);
    }
    box = std::exchange(box->next, nullptr);
  }
}

void run_finalizers_at_exit(heap_impl* heap) {
  // Each call may plan another: until none is left. The newest is found by looking; there are few.
  for (;;) {
    weak_box* newest = nullptr;
    for (const auto& [header, first] : heap->weaks) {
      for (weak_box* box = first; box != nullptr; box = box->next) {
        if (box->is_finalizer && box->at_exit && box->callback != nullptr &&
            (newest == nullptr || box->sequence > newest->sequence)) {
          newest = box;
        }
      }
    }
    if (newest == nullptr) {
      return;
    }
    unlink_weak_box(newest);
    call(newest);
    drop_weak_box(newest);
  }
}

}  // namespace detail

unraisable_hook set_unraisable_hook(unraisable_hook hook) {
  return std::exchange(detail::hook(), std::move(hook));
}

}  // namespace refgc
