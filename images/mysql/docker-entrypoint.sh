#!/bin/sh
# Sets up a new database the way the official images do, then becomes the server.
#
#   MYSQL_ROOT_PASSWORD, MYSQL_ALLOW_EMPTY_PASSWORD or MYSQL_RANDOM_ROOT_PASSWORD: one of them is required
#   MYSQL_ROOT_HOST (default %), MYSQL_DATABASE, MYSQL_USER with MYSQL_PASSWORD
#   NAME_FILE: the value of NAME is read from this file; MARIADB_… works like MYSQL_…
#   /docker-entrypoint-initdb.d/*.sh, *.sql, *.sql.gz are run once, in the order of their names
set -eu

data=/var/lib/mysql
socket=/run/mysqld/mysqld.sock

main() {
  case "${1:-}" in '' | -*) set -- mysqld "$@" ;; esac
  case "$1" in mysqld | mariadbd) ;; *) exec "$@" ;; esac
  shift
  settings="--no-defaults --datadir=$data --socket=$socket --pid-file=/run/mysqld/mysqld.pid"
  settings="$settings --bind-address=* --skip-name-resolve --innodb-log-file-size=4M"
  # Somebody may have mounted an empty /run.
  mkdir -p /run/mysqld
  if [ "$(id -u)" = 0 ]; then
    chown mysql:mysql /run/mysqld
    settings="$settings --user=mysql"
  fi
  if [ ! -d "$data/mysql" ]; then
    read_environment
    cp -r /usr/share/mysql/empty/. "$data"
    [ "$(id -u)" != 0 ] || chown -R mysql:mysql "$data"
    first=$(mktemp /run/mysqld/first.XXXXXX)
    first_statements > "$first"
    [ "$(id -u)" != 0 ] || chown mysql "$first"
    if [ -n "$(ls /docker-entrypoint-initdb.d 2>/dev/null)" ]; then
      run_scripts "$first"
      rm "$first"
    else
      # The server reads it before it lets anybody in, so no second start is needed.
      set -- "--init-file=$first" "$@"
    fi
  fi
  # shellcheck disable=SC2086 # a list of words
  exec mysqld $settings "$@"
}

say() { echo "[Entrypoint]: $*"; }

fail() { echo "[ERROR] [Entrypoint]: $*" >&2; exit 1; }

# value NAME: what MYSQL_NAME, MYSQL_NAME_FILE, MARIADB_NAME or MARIADB_NAME_FILE says
value() {
  for prefix in MYSQL MARIADB; do
    eval "plain=\${${prefix}_$1:-} file=\${${prefix}_$1_FILE:-}"
    [ -z "$plain" ] || [ -z "$file" ] || fail "both ${prefix}_$1 and ${prefix}_$1_FILE are set (but are exclusive)"
    [ -z "$file" ] || plain=$(cat "$file")
    if [ -n "$plain" ]; then printf %s "$plain"; return; fi
  done
}

read_environment() {
  root_password=$(value ROOT_PASSWORD)
  root_host=$(value ROOT_HOST)
  database=$(value DATABASE)
  user=$(value USER)
  password=$(value PASSWORD)
  if [ -z "$root_password" ] && [ -n "$(value RANDOM_ROOT_PASSWORD)" ]; then
    root_password=$(head -c 24 /dev/urandom | base64)
    say "GENERATED ROOT PASSWORD: $root_password"
  fi
  [ -n "$root_password$(value ALLOW_EMPTY_PASSWORD)$(value ALLOW_EMPTY_ROOT_PASSWORD)" ] || fail \
    'Database is uninitialized and password option is not specified: you need to specify one of' \
    'MYSQL_ROOT_PASSWORD, MYSQL_ALLOW_EMPTY_PASSWORD and MYSQL_RANDOM_ROOT_PASSWORD'
  [ "$user" != root ] || fail 'MYSQL_USER="root", MYSQL_USER and MYSQL_PASSWORD are for configuring a regular user'
  case "$root_password$root_host$database$user$password" in
    *'
'*) fail 'a name or password has more than one line' ;;
  esac
}

# text VALUE, name VALUE: quoted for SQL
text() { printf "'"; printf %s "$1" | sed "s/\\\\/\\\\\\\\/g; s/'/''/g"; printf "'"; }
name() { printf '`'; printf %s "$1" | sed 's/`/``/g'; printf '`'; }

# One statement a line: the server reads an init file line by line.
first_statements() {
  echo "ALTER USER root@localhost IDENTIFIED BY $(text "$root_password");"
  echo "CREATE USER IF NOT EXISTS root@$(text "${root_host:-%}") IDENTIFIED BY $(text "$root_password");"
  echo "GRANT ALL ON *.* TO root@$(text "${root_host:-%}") WITH GRANT OPTION;"
  [ -z "$database" ] || echo "CREATE DATABASE IF NOT EXISTS $(name "$database");"
  if [ -n "$user" ] && [ -n "$password" ]; then
    echo "CREATE USER $(text "$user")@'%' IDENTIFIED BY $(text "$password");"
    # An underscore in a grant's database name would match any character.
    [ -z "$database" ] || echo "GRANT ALL ON $(name "$(printf %s "$database" | sed 's/_/\\_/g')").* TO $(text "$user")@'%';"
  fi
}

# A server that only this script can reach, with the settings of the real one.
run_scripts() {
  say 'Starting temporary server'
  # shellcheck disable=SC2086
  mysqld $settings --skip-networking "--init-file=$1" &
  server=$!
  until mariadb-admin --no-defaults --socket="$socket" --user=root --password="$root_password" --silent ping > /dev/null 2>&1; do
    kill -0 "$server" 2> /dev/null || fail 'the temporary server did not start'
    sleep 0.1
  done
  for script in /docker-entrypoint-initdb.d/*; do
    case "$script" in
      *.sh) say "running $script"; if [ -x "$script" ]; then "$script"; else . "$script"; fi ;;
      *.sql) say "running $script"; client < "$script" ;;
      *.sql.gz) say "running $script"; zcat "$script" | client ;;
      *) say "ignoring $script" ;;
    esac
  done
  kill "$server"
  wait "$server" || fail 'the temporary server did not stop cleanly'
  say 'MySQL init process done. Ready for start up.'
}

client() {
  mariadb --no-defaults --socket="$socket" --user=root --password="$root_password" --comments ${database:+"$database"}
}

main "$@"
