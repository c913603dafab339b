-- The sample application's source: what advertisers set (control data), and what machines learn (content data).
--
-- Foreign keys are declared, and not enforced, as in most databases that have grown: some rows point to rows that are gone.

CREATE TABLE marketplaces (
    id                INTEGER PRIMARY KEY,
    name              TEXT NOT NULL,
    policy_version    INTEGER NOT NULL,
    floor_bid_micros  INTEGER NOT NULL,
    is_open           BOOLEAN NOT NULL
);

CREATE TABLE currencies (
    code         TEXT PRIMARY KEY,
    symbol       TEXT NOT NULL,
    usd_rate     DECIMAL(12, 6),           -- US dollars for one unit; NULL while the rate is not known
    minor_units  INTEGER NOT NULL
);

CREATE TABLE advertisers (
    id              INTEGER PRIMARY KEY,
    marketplace_id  INTEGER REFERENCES marketplaces (id),
    name            TEXT NOT NULL,
    country         TEXT,
    timezone        TEXT NOT NULL,
    industry        TEXT,
    tier            INTEGER NOT NULL,
    status          TEXT NOT NULL,          -- ACTIVE, PAUSED, SUSPENDED
    is_verified     BOOLEAN,
    credit_limit    DECIMAL(14, 2),
    billing_email   TEXT,
    settings        JSON,
    joined_on       DATE
);

CREATE TABLE budgets (
    id             INTEGER PRIMARY KEY,
    advertiser_id  INTEGER NOT NULL REFERENCES advertisers (id),
    currency_code  TEXT REFERENCES currencies (code),
    name           TEXT,
    period         TEXT NOT NULL,           -- DAILY, LIFETIME
    amount         DECIMAL(14, 2),
    is_shared      BOOLEAN NOT NULL
);

CREATE TABLE campaigns (
    id                      INTEGER PRIMARY KEY,
    advertiser_id           INTEGER REFERENCES advertisers (id),
    budget_id               INTEGER REFERENCES budgets (id),
    name                    TEXT NOT NULL,
    objective               TEXT,           -- AWARENESS, CONSIDERATION, CONVERSIONS, SHOPPING, VIDEO
    status                  TEXT,           -- ACTIVE, PAUSED, ARCHIVED, DELETED
    bid_strategy            TEXT NOT NULL,  -- MANUAL, AUTOMATIC, PROPORTIONAL: every ad group bids daily budget / 100
    daily_budget_micros     INTEGER,
    lifetime_budget_micros  INTEGER,
    frequency_cap           INTEGER,
    target_cost             FLOAT,
    starts_on               DATE,
    ends_on                 DATE,
    labels                  JSON,
    created_at              DATETIME NOT NULL
);
CREATE INDEX campaigns_by_advertiser ON campaigns (advertiser_id);

CREATE TABLE spend (
    campaign_id      INTEGER PRIMARY KEY REFERENCES campaigns (id),
    spent_micros     INTEGER NOT NULL,
    impressions      INTEGER NOT NULL,
    clicks           INTEGER NOT NULL,
    measured_at      DATETIME
);

CREATE TABLE targeting_specs (
    id           INTEGER PRIMARY KEY,
    name         TEXT,
    age_min      INTEGER,
    age_max      INTEGER,
    gender       TEXT,
    languages    JSON,
    devices      JSON,
    radius_km    FLOAT,
    is_expanded  BOOLEAN,
    schedule     JSON                       -- [{"days": [0, 4], "from": 9, "to": 17}, ...]: days from Monday = 0, hours
);

CREATE TABLE targeting_geos (
    targeting_spec_id  INTEGER NOT NULL REFERENCES targeting_specs (id),
    country            TEXT NOT NULL,
    region             TEXT NOT NULL,       -- '' for the whole country
    is_excluded        BOOLEAN NOT NULL,
    PRIMARY KEY (targeting_spec_id, country, region)
);

CREATE TABLE interests (
    id        INTEGER PRIMARY KEY,
    name      TEXT NOT NULL,
    category  TEXT
);

CREATE TABLE targeting_interests (
    targeting_spec_id  INTEGER NOT NULL REFERENCES targeting_specs (id),
    interest_id        INTEGER NOT NULL REFERENCES interests (id),
    weight             FLOAT,
    PRIMARY KEY (targeting_spec_id, interest_id)
);

CREATE TABLE ad_groups (
    id                 INTEGER PRIMARY KEY,
    campaign_id        INTEGER REFERENCES campaigns (id),
    targeting_spec_id  INTEGER REFERENCES targeting_specs (id),
    name               TEXT NOT NULL,
    status             TEXT,
    bid_micros         INTEGER,
    objective_bids     JSON,                -- {"CONVERSIONS": 2500000, ...}: bids in micros that win over bid_micros
    optimization_goal  TEXT,
    placement          TEXT,
    starts_at          DATETIME,
    ends_at            DATETIME
);
CREATE INDEX ad_groups_by_campaign ON ad_groups (campaign_id);
CREATE INDEX ad_groups_by_targeting_spec ON ad_groups (targeting_spec_id);

CREATE TABLE creatives (
    id            INTEGER PRIMARY KEY,
    headline      TEXT,
    body          TEXT,
    format        TEXT NOT NULL,
    language      TEXT,
    landing_url   TEXT,
    duration_s    FLOAT,
    content_hash  BLOB,
    is_archived   BOOLEAN NOT NULL
);

CREATE TABLE pins (
    id              INTEGER PRIMARY KEY,
    title           TEXT,
    board           TEXT,
    link            TEXT,
    dominant_color  TEXT,
    width           INTEGER,
    height          INTEGER,
    is_video        BOOLEAN,
    saves           INTEGER,
    clicks          INTEGER,
    impressions     INTEGER,
    annotations     JSON,
    signature       BLOB,
    created_on      DATE
);

CREATE TABLE ads (
    id               INTEGER PRIMARY KEY,
    ad_group_id      INTEGER REFERENCES ad_groups (id),
    creative_id      INTEGER REFERENCES creatives (id),
    pin_id           INTEGER REFERENCES pins (id),
    title            TEXT,
    description      TEXT,
    status           TEXT,                  -- ACTIVE, PAUSED, DELETED
    review_status    TEXT,                  -- APPROVED, EXEMPT, PENDING, REJECTED
    bid_micros       INTEGER,               -- wins over the ad group's
    bid_multiplier   DECIMAL(6, 3),
    call_to_action   TEXT,
    is_sponsored     BOOLEAN,
    tracking         JSON,
    quality_score    FLOAT,                 -- content: a model's
    image_signature  TEXT,                  -- content: a model's
    updated_at       DATETIME
);
CREATE INDEX ads_by_ad_group ON ads (ad_group_id);
CREATE INDEX ads_by_creative ON ads (creative_id);
CREATE INDEX ads_by_pin ON ads (pin_id);

CREATE TABLE keywords (
    id             INTEGER PRIMARY KEY,
    name           TEXT NOT NULL,
    language       TEXT,
    search_volume  INTEGER
);

CREATE TABLE ad_keywords (
    id          INTEGER PRIMARY KEY,
    ad_id       INTEGER NOT NULL REFERENCES ads (id),
    keyword_id  INTEGER NOT NULL REFERENCES keywords (id),
    position    INTEGER,
    match_type  TEXT NOT NULL
);
CREATE INDEX ad_keywords_by_ad ON ad_keywords (ad_id, position);
CREATE INDEX ad_keywords_by_keyword ON ad_keywords (keyword_id);
