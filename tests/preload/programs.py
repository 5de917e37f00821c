# SPDX-FileCopyrightText: 2026 The Tally authors
# SPDX-License-Identifier: MIT
"""The table of programs that must run under the library as they run without.

In a command, $LAUNCHER stands before the program under test: empty, or `env LD_PRELOAD=...`.
Every filter carries its reason.
"""

import dataclasses
import pathlib

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass(frozen=True)
class Program:
    name: str
    packages: tuple
    command: str
    is_quick: bool = True
    timeout_s: int = 120
    may_fail: bool = False  # the run without the library may fail, if it fails alike
    filters: tuple = ()  # (pattern, replacement, reason)


SQL = """create table t(a integer primary key, b text);
with recursive c(x) as (select 1 union all select x+1 from c where x<200000)
insert into t select x, hex(x*7919) from c;
create index i on t(b); select count(*), min(b), max(b) from t;
select substr(b,1,2), count(*) from t group by 1 order by 2 desc, 1 limit 5;
delete from t where a % 3 = 0; vacuum; pragma integrity_check;"""

GIT_REPOSITORY = """export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z'
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
$LAUNCHER git init -q -b main r; cd r
for i in $(seq 60); do seq $i $((i * 50)) > file$((i % 20)); git add .; $LAUNCHER git commit -qm $i; done
"""

SOURCE = r"""cat > big.cc <<'END'
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <regex>
#include <unordered_map>
int main(int argc, char** argv) {
  std::map<std::string, std::function<int(int)>> m;
  for (int i = 0; i < argc; ++i) m[argv[i]] = [i](int x) { return x + i; };
  std::cout << std::regex_match(argv[0], std::regex("(a|b)*c+[x-z]{2,}")) << m.size();
}
END
"""

REDIS = """$LAUNCHER redis-server --port 0 --unixsocket $PWD/s --save '' --dir $PWD > log 2>&1 &
server=$!
for i in $(seq 100); do redis-cli -s s ping 2>/dev/null | grep -q PONG && break; sleep 0.1; done
redis-benchmark -s s -q -n 20000 -r 5000 -d 100 -t set,get,incr,lpush,hset,zadd > /dev/null
redis-cli -s s config set maxmemory 100mb
redis-cli -s s bgsave
for i in $(seq 100); do
  redis-cli -s s info persistence | grep -q rdb_bgsave_in_progress:0 && break; sleep 0.1
done
redis-cli -s s info persistence | grep rdb_last_bgsave_status
redis-cli -s s shutdown nosave; wait $server"""

NGINX = r"""mkdir -p www logs; echo hello > www/index.html
cat > conf <<END
daemon off; worker_processes 2; pid $PWD/pid; error_log $PWD/logs/error;
events {}
http { access_log off; client_body_temp_path $PWD/a; proxy_temp_path $PWD/b;
       fastcgi_temp_path $PWD/c; uwsgi_temp_path $PWD/d; scgi_temp_path $PWD/e;
       server { listen unix:$PWD/s; root $PWD/www; gzip on; autoindex on; } }
END
chmod -R 777 .; $LAUNCHER nginx -e $PWD/logs/start -p $PWD -c $PWD/conf & server=$!
for i in $(seq 100); do [ -S s ] && break; sleep 0.1; done
for i in $(seq 200); do curl -s --unix-socket s http://x/; done | sort | uniq -c
kill -HUP $server; sleep 0.5
for i in $(seq 200); do curl -s --unix-socket s http://x/nothing -o /dev/null -w '%{http_code}\n'; done | uniq -c
kill -QUIT $server; wait $server"""

POSTGRES = """bin=/usr/lib/postgresql/15/bin
id tallytest > /dev/null 2>&1 || useradd --no-create-home tallytest
chown tallytest . ; as="setpriv --reuid tallytest --regid tallytest --clear-groups"
$as $LAUNCHER $bin/initdb -D db -U postgres -A trust --no-sync > /dev/null
$as $LAUNCHER $bin/postgres -D db -c listen_addresses= -c unix_socket_directories=$PWD > log 2>&1 &
server=$!
for i in $(seq 100); do $bin/pg_isready -q -h $PWD && break; sleep 0.1; done
pgbench -q -h $PWD -U postgres -i -s 2 postgres > /dev/null 2>&1
pgbench -h $PWD -U postgres -c 4 -j 2 -t 500 postgres 2>/dev/null | grep 'actually processed'
psql -h $PWD -U postgres -Atc "select count(*), sum(abalance) is not null from pgbench_accounts"
psql -h $PWD -U postgres -Atc "select md5(string_agg(x::text, ',')) from generate_series(1,200000) x"
kill -INT $server; wait $server"""

JAVA = """cat > Main.java <<'END'
import java.util.*;
public class Main {
  public static void main(String[] a) throws Exception {
    Map<Integer, String> m = new HashMap<>();
    Thread[] t = new Thread[4];
    for (int i = 0; i < 200000; ++i) m.put(i, "v" + i);
    for (int k = 0; k < 4; ++k) { t[k] = new Thread(() -> { new Random(1).ints(100000).sum(); }); t[k].start(); }
    for (Thread x : t) x.join();
    System.out.println(m.size() + " " + m.get(777).length());
  }
}
END
$LAUNCHER java -Xmx256m Main.java"""

# Python's own suite says which tests ran in which time: of no interest, and never the same.
PYTHON_SUITE = f"""for module in $(grep -v '^#' {HERE}/cpython_modules); do
  if $LAUNCHER timeout 400 /usr/bin/python3 -m test -q $module > out 2>&1; then echo $module ok
  else grep -oE '^(FAIL|ERROR): \\S+' out | sort -u; echo $module failed; fi
done"""
# TALLY_STATS_FILE makes every child of the suite write a report, which some of its tests count as
# a file too many: the suite runs with the library alone and one module with reports besides.
PYTHON_SUITE_COMMAND = PYTHON_SUITE.replace(
    "$LAUNCHER", "env ${TALLY_UNDER_TEST:+LD_PRELOAD=$TALLY_UNDER_TEST}") + """
$LAUNCHER /usr/bin/python3 -c 'print(1)'"""

TABLE = (
    Program("true", ("coreutils",), "$LAUNCHER true"),
    Program("ls", ("coreutils",), "$LAUNCHER ls -lR /usr/include | $LAUNCHER sort | $LAUNCHER md5sum"),
    Program("python", ("python3",), """$LAUNCHER /usr/bin/python3 -c '
import json, re, threading, hashlib, subprocess
data = [{"k%d" % i: list(range(i % 50)), "s": "x" * (i % 300)} for i in range(20000)]
text = json.dumps(data); assert json.loads(text) == data
out = []
def work(n): out.append(len(re.findall(r"k\\d+5", text)) + n)
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
print(sorted(out), hashlib.md5(text.encode()).hexdigest())
print(subprocess.run(["echo", "child"], capture_output=True).stdout)'"""),
    Program("perl", ("perl",), """$LAUNCHER perl -e 'my %h; for (1..200000) { $h{$_ * 7919 % 100003} .= "x$_" }
my $t = join(",", map { "$_=$h{$_}" } sort keys %h); print length($t), " ", unpack("%32C*", $t), "\\n";'"""),
    Program("lua", ("lua5.4",), """$LAUNCHER lua5.4 -e 'local t = {} for i = 1, 300000 do t[i] = {i, tostring(i)} end
local s = 0 for i = 1, #t do s = s + #t[i][2] end collectgarbage() print(s)'"""),
    Program("ruby", ("ruby",), """$LAUNCHER ruby -e 'h = Hash.new { |x, k| x[k] = [] }
200000.times { |i| h[i % 1000] << "v#{i}" }
t = 4.times.map { |n| Thread.new { h.values.flatten.select { |v| v.end_with?(n.to_s) }.size } }
p t.map(&:value), GC.stat.key?(:count)'"""),
    Program("sqlite3", ("sqlite3",), f"$LAUNCHER sqlite3 db <<'END'\n{SQL}\nEND"),
    Program("redis", ("redis-server", "redis-tools"), REDIS),
    Program("git", ("git",), GIT_REPOSITORY + "$LAUNCHER git fsck --full; $LAUNCHER git gc -q; $LAUNCHER git log --stat | md5sum"),
    Program("g++", ("g++",), SOURCE + "$LAUNCHER g++ -O1 -c big.cc -o big.o; md5sum big.o"),
    Program("xz", ("xz-utils",), "seq 300000 | $LAUNCHER xz -T2 -1 | $LAUNCHER xz -dc | md5sum"),
    Program("nginx", ("nginx-light", "curl"), NGINX),
    Program("clang++", ("clang-14",), SOURCE + "$LAUNCHER clang++-14 -O1 -c big.cc -o big.o; md5sum big.o", False),
    Program("postgresql", ("postgresql-15",), POSTGRES, False, 300),
    Program("node", ("nodejs",), """$LAUNCHER $(ls /usr/bin/node /usr/local/bin/node 2>/dev/null | head -1) -e '
const zlib = require("zlib"); let a = []; for (let i = 0; i < 300000; ++i) a.push({i, s: "x" + i});
const text = JSON.stringify(a); console.log(text.length, zlib.inflateSync(zlib.deflateSync(text)).length);'""", False),
    Program("java", ("openjdk-17-jdk-headless",), JAVA, False),
    Program("gdb", ("gdb", "g++"), SOURCE + """g++ -g big.cc -o big
$LAUNCHER gdb -batch -ex 'break main' -ex run -ex bt -ex 'info types map' -ex kill ./big | grep -c std::map""", False),
    Program("cpython-suite", ("libpython3.11-testsuite",), PYTHON_SUITE_COMMAND, False, 3000),
)
