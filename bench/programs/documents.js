// SPDX-FileCopyrightText: 2026 The Tally authors
// SPDX-License-Identifier: MIT
//
// A benchmark program: JSON, strings, maps, and many buffers outside the JavaScript heap, which is
// where V8 uses malloc. Argument: the documents, one a line.

'use strict';

const crypto = require('crypto');
const fs = require('fs');
const zlib = require('zlib');

const lines = fs.readFileSync(process.argv[2], 'utf8').trim().split('\n');
const hash = crypto.createHash('sha256');
const cities = new Map();
let compressed = 0;
for (let i = 0; i < 4 * lines.length; ++i) {
  const document = JSON.parse(lines[i % lines.length]);
  document.total = document.entries.reduce((sum, entry) => sum + entry.amount, 0);
  cities.set(document.address.city, (cities.get(document.address.city) || 0) + 1);
  const bytes = Buffer.from(JSON.stringify(document));
  if (i % 4 === 0) compressed += zlib.inflateSync(zlib.deflateSync(bytes, { level: 1 })).length;
  hash.update(Buffer.concat([bytes, Buffer.alloc(1 + (i % 20000))]));
}
console.log(hash.digest('hex'), cities.size, compressed);
