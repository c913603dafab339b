CREATE TABLE categories (
    slug         TEXT PRIMARY KEY,
    name         TEXT,
    parent_slug  TEXT REFERENCES categories (slug)
);

CREATE TABLE publishers (
    code     TEXT PRIMARY KEY,
    name     TEXT NOT NULL,
    country  TEXT
);

CREATE TABLE books (
    isbn            TEXT PRIMARY KEY,
    title           TEXT,
    publisher_code  TEXT REFERENCES publishers (code),
    category_slug   TEXT REFERENCES categories (slug),
    price           DECIMAL(8, 2),
    pages           INTEGER,
    published_on    DATE,
    is_in_print     BOOLEAN,
    rating          FLOAT,
    cover           BLOB,
    attributes      JSON,
    updated_at      DATETIME
);

CREATE TABLE authors (
    id       INTEGER PRIMARY KEY,
    name     TEXT,
    born_on  DATE
);

CREATE TABLE book_authors (
    isbn       TEXT NOT NULL REFERENCES books (isbn),
    author_id  INTEGER NOT NULL REFERENCES authors (id),
    position   INTEGER,
    role       TEXT,
    PRIMARY KEY (isbn, author_id)
);

CREATE TABLE warehouses (
    country  TEXT NOT NULL,
    city     TEXT NOT NULL,
    name     TEXT,
    PRIMARY KEY (country, city)
);

CREATE TABLE stock (
    isbn      TEXT NOT NULL REFERENCES books (isbn),
    country   TEXT NOT NULL,
    city      TEXT NOT NULL,
    quantity  INTEGER,
    reserved  INTEGER,
    PRIMARY KEY (isbn, country, city),
    FOREIGN KEY (country, city) REFERENCES warehouses (country, city)
);

CREATE TABLE customers (
    id     INTEGER PRIMARY KEY,
    name   TEXT,
    email  TEXT
);

CREATE TABLE orders (
    shop         TEXT NOT NULL,
    number       INTEGER NOT NULL,
    customer_id  INTEGER REFERENCES customers (id),
    status       TEXT,
    shipping     DECIMAL(8, 2),
    placed_at    DATETIME,
    PRIMARY KEY (shop, number)
);

CREATE TABLE order_lines (
    shop        TEXT NOT NULL,
    number      INTEGER NOT NULL,
    line        INTEGER NOT NULL,
    isbn        TEXT REFERENCES books (isbn),
    quantity    INTEGER,
    unit_price  DECIMAL(8, 2),
    PRIMARY KEY (shop, number, line),
    FOREIGN KEY (shop, number) REFERENCES orders (shop, number)
);
