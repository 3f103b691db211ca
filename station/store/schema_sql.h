/* SPDX-License-Identifier: Apache-2.0
 *
 * schema_sql.h: a database's schema as rows of one text column, in an order of its own; the same for equal schemas and
 * for no others. Asked of a station's file when it is opened, and of the migrations when the program is built
 * (scripts/schema.c).
 *
 * Nothing is left out but the tables in which SQLite keeps statistics, where somebody has it make some (ANALYZE): a name that
 * begins with sqlite_ is no sign that SQLite made it, for whoever writes into sqlite_schema gives a trigger any name. quote()
 * doubles what is between its marks, so no text can look like two. */
#ifndef FL_STORE_SCHEMA_SQL_H
#define FL_STORE_SCHEMA_SQL_H

#define SCHEMA_SQL_OTHERS \
    "FROM sqlite_schema WHERE type <> 'table' OR sql NOT LIKE 'CREATE TABLE sqlite^_stat_(%' ESCAPE '^' ORDER BY type, name"
#define SCHEMA_SQL "SELECT quote(type) || quote(name) || quote(tbl_name) || quote(coalesce(sql, '')) " SCHEMA_SQL_OTHERS

#endif
