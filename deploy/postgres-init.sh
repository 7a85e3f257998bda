#!/bin/sh
# Run once by the PostgreSQL image: the login of mbaas, no superuser, and its database.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$POSTGRES_PASSWORD" --username postgres <<'SQL'
CREATE ROLE mbaas LOGIN CREATEROLE PASSWORD :'password';
CREATE DATABASE mbaas OWNER mbaas;
SQL
