// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// ref<T>: a counted reference, one pointer wide. The object lives while one is there; when the last
// goes, the object is destroyed at once.
//
// Copying counts, without atomics; moving does not. A ref belongs to the thread that uses the
// object's heap. T may be incomplete but where it is used.
//
// alias_ref<M>: a reference to a part of an object (a member, a base that is not the first) that
// keeps the whole alive. One pointer as well; counting has to find the object first.

#ifndef REFGC_REF_H_
#define REFGC_REF_H_

#include "refgc/ref_class.h"
#include "refgc/release.h"

#endif  // REFGC_REF_H_
