//! The migrations of both databases make the same model.

use std::collections::{BTreeMap, BTreeSet};

use nizam_test_postgres::{Database, there_is_postgres};
use sqlx::{PgPool, SqlitePool};

use crate::support::Fixture;

/// What a table is, in words of neither database.
#[derive(Debug, Default, PartialEq, Eq)]
struct Table {
    columns: BTreeMap<String, Column>,
    indexes: BTreeSet<Index>,
    references: BTreeSet<Reference>,
}

#[derive(Debug, PartialEq, Eq)]
struct Column {
    kind: Kind,
    nullable: bool,
    default: Option<String>,
    /// The database gives it numbers, and none twice.
    numbered: bool,
}

/// The types of SQLite; PostgreSQL tells more of them apart.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Integer,
    Real,
    Text,
    Bytes,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Index {
    /// Its name, which a primary key has in PostgreSQL only.
    name: Option<String>,
    columns: Vec<String>,
    unique: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Reference {
    columns: Vec<String>,
    table: String,
    to: Vec<String>,
    on_delete: String,
    on_update: String,
}

type Model = BTreeMap<String, Table>;

/// Of PostgreSQL: table, the other table, on delete, on update, columns, the other's columns.
type ReferenceRow = (String, String, String, String, Vec<String>, Vec<String>);

/// Of PostgreSQL: table, index, primary, unique, partial, whether the table is cut into months, columns.
type IndexRow = (String, String, bool, bool, bool, bool, Vec<String>);

/// A default as both write it: `'active'::text` and `'active'`, `true` and `1`.
fn default(text: &str) -> String {
    let text = text.split_once("::").map_or(text, |(value, _)| value);
    match text.trim_matches('\'') {
        "true" | "TRUE" => "1".to_owned(),
        "false" | "FALSE" => "0".to_owned(),
        other => other.to_owned(),
    }
}

async fn of_sqlite(url: &str) -> Model {
    let pool = SqlitePool::connect(url).await.unwrap();
    let tables: Vec<(String, String)> = sqlx::query_as(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let mut model = Model::new();
    for (name, text) in tables {
        let mut table = Table::default();
        let columns: Vec<(String, String, bool, Option<String>, i64)> =
            sqlx::query_as("SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info($1)")
                .bind(&name)
                .fetch_all(&pool)
                .await
                .unwrap();
        let mut key: Vec<(i64, String)> = Vec::new();
        for (column, declared, not_null, written, position) in columns {
            if position > 0 {
                key.push((position, column.clone()));
            }
            let kind = match declared.as_str() {
                "INTEGER" => Kind::Integer,
                "REAL" => Kind::Real,
                "TEXT" => Kind::Text,
                "BLOB" => Kind::Bytes,
                other => panic!("{name}.{column} is {other}"),
            };
            // INTEGER PRIMARY KEY is the row's number, which is never null.
            let number = position > 0 && kind == Kind::Integer && text.contains("INTEGER PRIMARY KEY");
            let column_is = Column {
                nullable: !not_null && !number,
                default: written.as_deref().map(default),
                numbered: number && text.contains("AUTOINCREMENT"),
                kind,
            };
            table.columns.insert(column, column_is);
        }
        key.sort();
        let key: Vec<String> = key.into_iter().map(|(_, column)| column).collect();
        table.indexes.insert(Index { name: None, columns: key, unique: true });
        let indexes: Vec<(String, bool, String, bool)> =
            sqlx::query_as("SELECT name, \"unique\", origin, partial FROM pragma_index_list($1)")
                .bind(&name)
                .fetch_all(&pool)
                .await
                .unwrap();
        for (index, unique, origin, partial) in indexes {
            assert!(!partial, "{index}: the test does not compare conditions");
            if origin == "pk" {
                continue;
            }
            let columns: Vec<(Option<String>, bool)> = sqlx::query_as(
                "SELECT name, \"desc\" FROM pragma_index_xinfo($1) WHERE key = 1 ORDER BY seqno",
            )
            .bind(&index)
            .fetch_all(&pool)
            .await
            .unwrap();
            let column = |(column, falling): (Option<String>, bool)| {
                column.unwrap_or("an expression".to_owned()) + if falling { " DESC" } else { "" }
            };
            let columns = columns.into_iter().map(column).collect();
            table.indexes.insert(Index { name: Some(index), columns, unique });
        }
        let references: Vec<(i64, String, String, String, String, String)> = sqlx::query_as(
            "SELECT id, \"table\", \"from\", \"to\", on_delete, on_update FROM pragma_foreign_key_list($1) ORDER BY id, seq",
        )
        .bind(&name)
        .fetch_all(&pool)
        .await
        .unwrap();
        let mut by_number: BTreeMap<i64, Reference> = BTreeMap::new();
        for (number, other, from, to, on_delete, on_update) in references {
            let empty = Reference { columns: vec![], table: other, to: vec![], on_delete, on_update };
            let reference = by_number.entry(number).or_insert(empty);
            reference.columns.push(from);
            reference.to.push(to);
        }
        table.references = by_number.into_values().collect();
        model.insert(name, table);
    }
    model
}

async fn of_postgres(url: &str) -> Model {
    let pool = PgPool::connect(url).await.unwrap();
    let mut model = Model::new();
    let columns: Vec<(String, String, String, bool, Option<String>, bool)> = sqlx::query_as(
        "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, \
             pg_get_expr(d.adbin, d.adrelid), a.attidentity <> '' \
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid \
         LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum \
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped \
             AND c.relname <> '_sqlx_migrations'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    for (table, column, kind, nullable, written, numbered) in columns {
        let kind = match kind.as_str() {
            "bigint" | "boolean" | "timestamp with time zone" => Kind::Integer,
            "double precision" => Kind::Real,
            "text" | "jsonb" => Kind::Text,
            "uuid" | "bytea" => Kind::Bytes,
            other => panic!("{table}.{column} is {other}"),
        };
        let default = written.as_deref().map(default);
        let columns = &mut model.entry(table).or_default().columns;
        columns.insert(column, Column { kind, nullable, default, numbered });
    }
    let indexes: Vec<IndexRow> = sqlx::query_as(
        "SELECT t.relname::text, i.relname::text, x.indisprimary, x.indisunique, x.indpred IS NOT NULL, t.relkind = 'p', \
             ARRAY(SELECT pg_get_indexdef(x.indexrelid, n, TRUE) \
                     || CASE WHEN x.indoption[n - 1] & 1 = 1 THEN ' DESC' ELSE '' END \
                 FROM generate_series(1, x.indnkeyatts::integer) n ORDER BY n) \
         FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid \
         WHERE t.relnamespace = 'public'::regnamespace AND t.relname <> '_sqlx_migrations' AND NOT t.relispartition",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    for (table, index, primary, unique, partial, months, mut columns) in indexes {
        assert!(!partial, "{index}: the test does not compare conditions");
        if primary && months {
            // A table of months has what tells them apart in its key, and SQLite has no months.
            columns.pop();
        }
        let name = (!primary).then_some(index);
        model.get_mut(&table).unwrap().indexes.insert(Index { name, columns, unique });
    }
    let references: Vec<ReferenceRow> = sqlx::query_as(
        "SELECT t.relname::text, o.relname::text, r.confdeltype::text, r.confupdtype::text, \
             ARRAY(SELECT a.attname::text FROM unnest(r.conkey) WITH ORDINALITY k (number, place) \
                 JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number ORDER BY k.place), \
             ARRAY(SELECT a.attname::text FROM unnest(r.confkey) WITH ORDINALITY k (number, place) \
                 JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = k.number ORDER BY k.place) \
         FROM pg_constraint r JOIN pg_class t ON t.oid = r.conrelid JOIN pg_class o ON o.oid = r.confrelid \
         WHERE r.contype = 'f' AND t.relnamespace = 'public'::regnamespace AND NOT t.relispartition",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    // Letters of pg_constraint, as SQLite says them.
    let action = |letter: &str| {
        let words = match letter {
            "a" => "NO ACTION",
            "r" => "RESTRICT",
            "c" => "CASCADE",
            "n" => "SET NULL",
            other => panic!("action {other}"),
        };
        words.to_owned()
    };
    for (name, table, on_delete, on_update, columns, to) in references {
        let (on_delete, on_update) = (action(&on_delete), action(&on_update));
        let reference = Reference { columns, table, to, on_delete, on_update };
        model.get_mut(&name).unwrap().references.insert(reference);
    }
    model
}

#[tokio::test]
async fn both_migrations_make_the_same_model() {
    if !there_is_postgres() {
        return;
    }
    let sqlite = of_sqlite(&Fixture::on(Database::Sqlite).await.url).await;
    let postgres = of_postgres(&Fixture::on(Database::Postgres).await.url).await;
    let names = |model: &Model| model.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&sqlite), names(&postgres), "tables");
    for (name, table) in &sqlite {
        let other = &postgres[name];
        for (column, is) in &table.columns {
            assert_eq!(Some(is), other.columns.get(column), "{name}.{column}: SQLite, PostgreSQL");
        }
        assert_eq!(table.indexes, other.indexes, "{name}: SQLite, PostgreSQL");
        assert_eq!(table.references, other.references, "{name}: SQLite, PostgreSQL");
        // Nor has PostgreSQL a column that SQLite has not.
        assert_eq!(table, other, "{name}: SQLite, PostgreSQL");
    }
    let columns: usize = sqlite.values().map(|table| table.columns.len()).sum();
    let indexes: usize = sqlite.values().map(|table| table.indexes.len()).sum();
    let references: usize = sqlite.values().map(|table| table.references.len()).sum();
    // What is compared is not nothing.
    assert!(columns > 200 && indexes > 50 && references > 20, "{columns} {indexes} {references}");
    println!(
        "model: {} tables, {columns} columns, {indexes} indexes, {references} references: the same on both",
        sqlite.len()
    );
}
