// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT

// All of refgc. See README.md.

#ifndef REFGC_REFGC_H_
#define REFGC_REFGC_H_

#include "refgc/function.h"
#include "refgc/gc.h"
#include "refgc/heap.h"
#include "refgc/integer.h"
#include "refgc/make.h"
#include "refgc/objgraph.h"
#include "refgc/ref.h"
#include "refgc/shared_ref.h"
#include "refgc/str.h"
#include "refgc/trace.h"
#include "refgc/verify.h"
#include "refgc/weak.h"

#endif  // REFGC_REFGC_H_
