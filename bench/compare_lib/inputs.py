# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""Generated inputs of the real programs: deterministic, made once, kept in the cache folder.

The folder's name holds a hash of this file, so a changed generator makes new inputs.
"""

import hashlib
import json
import os
import random
import shutil
import subprocess

from compare_lib import places

CITIES = 300


def _words(count, seed):
    source = random.Random(seed)
    syllables = ["ab", "co", "de", "fi", "gu", "ha", "in", "ko", "lu", "me", "no", "or", "pa", "ing"]
    return ["".join(source.choices(syllables, k=source.randint(1, 5))) for _ in range(count)]


def _sentence(source, words, low, high):
    # The square favours the first words, as languages do.
    return " ".join(words[int(source.random() ** 2 * len(words))]
                    for _ in range(source.randint(low, high)))


def make_text(path):
    source, words = random.Random(1), _words(20000, 2)
    with open(path, "w", encoding="utf-8") as file:
        for _ in range(80000):
            file.write(_sentence(source, words, 3, 16).capitalize() + ".\n")


def make_documents(path):
    source, words = random.Random(3), _words(5000, 4)
    with open(path, "w", encoding="utf-8") as file:
        for number in range(12000):
            entries = [{"amount": source.randint(1, 10000) / 4, "text": _sentence(source, words, 1, 4),
                        "tags": source.sample(words, 2)} for _ in range(source.randint(1, 12))]
            document = {
                "id": number, "name": _sentence(source, words, 2, 3),
                "address": {"city": words[source.randrange(CITIES)], "zip": source.randint(1, 99999)},
                "entries": entries, "active": number % 3 == 0, "parent": None}
            file.write(json.dumps(document) + "\n")


def make_json(path):
    """One document of 50 MB."""
    source, words = random.Random(14), _words(8000, 15)
    with open(path, "w", encoding="utf-8") as file:
        file.write("[")
        while file.tell() < 50_000_000:
            record = {
                "id": source.randrange(10**9), "name": _sentence(source, words, 1, 3),
                "score": source.random(), "tags": source.sample(words, source.randint(0, 4)),
                "values": [source.randrange(1000) for _ in range(source.randint(1, 10))],
                "parent": {"id": source.randrange(1000), "kind": words[source.randrange(CITIES)]}}
            file.write(json.dumps(record) + ",\n")
        file.write("null]")


def make_sql(path):
    source, words = random.Random(5), _words(3000, 6)
    with open(path, "w", encoding="utf-8") as file:
        file.write("create table person(id integer primary key, name text, city text);\n"
                   "create table note(person integer, day integer, body text);\nbegin;\n")
        for number in range(70000):
            file.write(f"insert into person values({number}, '{_sentence(source, words, 2, 4)}', "
                       f"'{words[source.randrange(CITIES)]}');\n")
            file.write(f"insert into note values({source.randrange(70000)}, {number % 365}, "
                       f"'{_sentence(source, words, 3, 12)}');\n")
        file.write("commit;\ncreate index by_person on note(person);\n"
                   "create index by_body on note(body, day);\n"
                   "select city, count(*), max(length(body)) from person join note on person = id"
                   " group by city order by 2 desc, 1 limit 9;\n"
                   "select length(group_concat(upper(body) || name)) from person join note"
                   " on person = id;\n"
                   "with recursive t(n) as (select 1 union all select n + 1 from t where n < 500000)"
                   " select count(distinct printf('%d-%s', n % 40000, hex(n % 977))) from t;\n"
                   "update note set body = body || ' and more' where day % 2;\n"
                   "select count(*), sum(length(body)) from note where body like '%ab%more';\n")


def make_cc(path):
    parts = ["#include <algorithm>\n#include <functional>\n#include <map>\n#include <memory>\n"
             "#include <set>\n#include <sstream>\n#include <string>\n#include <unordered_map>\n"
             "#include <vector>\n"]
    for i in range(8):
        parts.append(
            f"template <int N> struct Key{i} {{ int a; std::string b;\n"
            f"  bool operator<(const Key{i}& o) const {{ return a + N < o.a || b < o.b; }} }};\n"
            f"int Use{i}(int n) {{\n"
            f"  std::map<Key{i}<{i}>, std::vector<std::string>> map;\n"
            f"  std::unordered_map<std::string, std::shared_ptr<std::set<long>>> index;\n"
            f"  for (int k = 0; k < n; ++k) {{\n"
            f"    std::ostringstream text; text << k * {i + 3};\n"
            f"    map[Key{i}<{i}>{{k % 7, text.str()}}].push_back(text.str() + \"x\");\n"
            f"    auto& set = index[text.str()];\n"
            f"    if (!set) set = std::make_shared<std::set<long>>();\n"
            f"    set->insert(k);\n  }}\n"
            f"  std::vector<std::function<int(int)>> steps;\n"
            f"  for (auto& [key, values] : map) {{\n"
            f"    std::sort(values.begin(), values.end(), [](auto& a, auto& b) {{ return b < a; }});\n"
            f"    steps.push_back([s = values.size(), a = key.a](int v) {{ return v * a + (int)s; }});\n"
            f"  }}\n"
            f"  int result = 0;\n  for (auto& step : steps) result = step(result);\n"
            f"  return result + (int)index.size();\n}}\n")
    with open(path, "w", encoding="utf-8") as file:
        file.write("".join(parts))


def make_ps(path):
    source, words = random.Random(7), _words(2000, 8)
    with open(path, "w", encoding="utf-8") as file:
        file.write("%!PS-Adobe-3.0\n/F /Times-Roman findfont def\n")
        for page in range(150):
            file.write("gsave\n")
            for row in range(70):
                file.write(f"F {6 + (page + row) % 9} scalefont setfont 40 {770 - 10 * row} moveto "
                           f"({_sentence(source, words, 6, 12)}) show\n")
            for _ in range(250):
                x, y, size = source.randint(0, 590), source.randint(0, 800), source.randint(2, 80)
                file.write(f"{source.random():.2f} setgray newpath {x} {y} moveto {size} {size} "
                           f"{-size} {size} {size} {2 * size} rcurveto closepath "
                           f"{'fill' if size % 2 else 'stroke'}\n")
            # The interpreter's own objects: arrays, strings and dictionaries.
            file.write("grestore 300 dict begin 1 1 3000 { dup 297 mod 10 string cvs cvn exch "
                       "[ exch dup dup ] def } for end showpage\n")


def make_xml(path):
    source, words = random.Random(9), _words(3000, 10)
    with open(path, "w", encoding="utf-8") as file:
        file.write("<records>\n")
        for number in range(150000):
            tags = "".join(f"<tag kind='{word[:2]}'>{word}</tag>" for word in source.sample(words, 3))
            file.write(f"<record id='r{number}'>{tags}<note>{_sentence(source, words, 2, 6)}</note>"
                       "</record>\n")
        file.write("</records>\n")


def make_smt2(path):
    source = random.Random(11)
    lines = ["(set-logic QF_ABV)"]
    lines += [f"(declare-const x{i} (_ BitVec 16))" for i in range(40)]
    lines += ["(declare-const m (Array (_ BitVec 16) (_ BitVec 16)))"]
    for _ in range(60):
        a, b, c, d = (source.randrange(40) for _ in range(4))
        lines.append(f"(assert (or (bvult (bvadd x{a} x{b}) x{c}) "
                     f"(= (select m x{d}) (bvxor x{a} #x{source.randrange(65536):04x}))))")
    for _ in range(30):
        a, b, c = (source.randrange(40) for _ in range(3))
        lines.append(f"(assert (= (bvand (bvmul x{a} x{b}) #x07ff) (bvand x{c} #x07ff)))")
    lines += [f"(assert (bvugt x{i} #x0010))" for i in range(40)] + ["(check-sat)"]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def make_repository(path):
    """A history of 1,500 commits on 60 files, through fast-import so that hashes never change."""
    source, words = random.Random(12), _words(4000, 13)
    files = {f"folder{i % 7}/file{i}.txt":
             [_sentence(source, words, 2, 9) for _ in range(150)] for i in range(60)}
    stream = []
    for number in range(1500):
        changed = sorted(files) if number == 0 else source.sample(sorted(files), 6)
        message = f"Commit {number}: {_sentence(source, words, 3, 8)}"
        stream.append(f"commit refs/heads/main\ncommitter A U Thor <author@example.org> "
                      f"{1600000000 + 3600 * number} +0000\ndata {len(message)}\n{message}\n")
        for name in changed:
            lines = files[name]
            for _ in range(6):
                lines[source.randrange(len(lines))] = _sentence(source, words, 2, 9)
            lines.insert(source.randrange(len(lines)), _sentence(source, words, 2, 9))
            body = "\n".join(lines) + "\n"
            stream.append(f"M 100644 inline {name}\ndata {len(body)}\n{body}\n")
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", path], check=True)
    subprocess.run(["git", "-C", path, "fast-import", "--quiet"], check=True,
                   input="".join(stream).encode())


MAKERS = {
    "text": make_text, "documents": make_documents, "json": make_json, "sql": make_sql,
    "cc": make_cc, "ps": make_ps, "xml": make_xml, "smt2": make_smt2, "repository": make_repository,
}
SUFFIXES = {"cc": ".cc"}  # The compilers judge a file by its name.


def path_of(name):
    with open(os.path.realpath(__file__), "rb") as file:
        version = hashlib.sha256(file.read()).hexdigest()[:12]
    folder = os.path.join(places.CACHE, "inputs-" + version)
    path = os.path.join(folder, name + SUFFIXES.get(name, ""))
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        places.say("making the input " + name)
        unfinished = path + ".unfinished"
        if os.path.isdir(unfinished):
            shutil.rmtree(unfinished)
        MAKERS[name](unfinished)
        os.rename(unfinished, path)
    return path
