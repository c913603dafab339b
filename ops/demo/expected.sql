-- What every ad's document must hold, by joins written without knowledge of the product.
--
-- One row an ad. A name's suffix says how the value is printed as JSON: [decimal] [datetime] [json] [bytes] [bool]. Names that begin
-- with an underscore are inputs of what ops/demo/recomputed.py works out.

SELECT
    a.id,
    a.ad_group_id,
    g.campaign_id,
    c.advertiser_id,
    a.creative_id,
    a.pin_id,
    a.title,
    a.description,
    a.status,
    a.review_status,
    a.bid_micros,
    a.bid_multiplier AS "bid_multiplier [decimal]",
    a.call_to_action,
    a.is_sponsored AS "is_sponsored [bool]",
    a.tracking AS "tracking [json]",
    a.updated_at AS "updated_at [datetime]",
    a.quality_score,
    a.image_signature,

    g.name AS ad_group_name,
    g.status AS ad_group_status,
    g.bid_micros AS ad_group_bid_micros,
    g.objective_bids AS "ad_group_objective_bids [json]",
    g.optimization_goal AS ad_group_optimization_goal,
    g.placement AS ad_group_placement,
    g.starts_at AS "ad_group_starts_at [datetime]",
    g.ends_at AS "ad_group_ends_at [datetime]",

    c.name AS campaign_name,
    c.objective AS campaign_objective,
    c.status AS campaign_status,
    c.bid_strategy AS campaign_bid_strategy,
    c.daily_budget_micros,
    c.lifetime_budget_micros AS campaign_lifetime_budget_micros,
    c.frequency_cap AS campaign_frequency_cap,
    c.target_cost AS campaign_target_cost,
    c.starts_on AS campaign_starts_on,
    c.ends_on AS campaign_ends_on,
    c.labels AS "campaign_labels [json]",
    c.created_at AS "campaign_created_at [datetime]",

    c.budget_id,
    b.name AS budget_name,
    b.period AS budget_period,
    b.amount AS "budget_amount [decimal]",
    b.is_shared AS "budget_is_shared [bool]",
    b.currency_code AS budget_currency,
    u.symbol AS currency_symbol,
    u.usd_rate AS "currency_usd_rate [decimal]",

    s.spent_micros,
    s.impressions AS campaign_impressions,
    s.clicks AS campaign_clicks,
    s.measured_at AS "spend_measured_at [datetime]",

    v.name AS advertiser_name,
    v.country AS advertiser_country,
    v.timezone AS advertiser_timezone,
    v.industry AS advertiser_industry,
    v.tier AS advertiser_tier,
    v.status AS advertiser_status,
    v.is_verified AS "advertiser_is_verified [bool]",
    v.credit_limit AS "advertiser_credit_limit [decimal]",
    v.settings AS "advertiser_settings [json]",
    v.joined_on AS advertiser_joined_on,
    m.name AS marketplace_name,
    m.policy_version AS marketplace_policy_version,
    m.floor_bid_micros AS marketplace_floor_bid_micros,
    m.is_open AS "marketplace_is_open [bool]",

    g.targeting_spec_id,
    t.name AS targeting_name,
    t.age_min AS targeting_age_min,
    t.age_max AS targeting_age_max,
    t.gender AS targeting_gender,
    t.languages AS "targeting_languages [json]",
    t.devices AS "targeting_devices [json]",
    t.radius_km AS targeting_radius_km,
    t.is_expanded AS "targeting_is_expanded [bool]",
    t.schedule AS "targeting_schedule [json]",

    r.headline AS creative_headline,
    r.body AS creative_body,
    r.format AS creative_format,
    r.language AS creative_language,
    r.landing_url AS creative_landing_url,
    r.duration_s AS creative_duration_s,
    r.content_hash AS "creative_content_hash [bytes]",
    r.is_archived AS "creative_is_archived [bool]",

    p.title AS pin_title,
    p.board AS pin_board,
    p.link AS pin_link,
    p.dominant_color AS pin_dominant_color,
    p.is_video AS "pin_is_video [bool]",
    p.saves AS pin_saves,
    p.clicks AS pin_clicks,
    p.impressions AS pin_impressions,
    p.annotations AS "pin_annotations [json]",
    p.signature AS "pin_signature [bytes]",
    p.created_on AS pin_created_on,

    -- computed, where SQL can say it; the multiplier has three decimals, so whole thousandths are exact
    MAX(
        COALESCE(a.bid_micros, json_extract(g.objective_bids, '$.' || c.objective), g.bid_micros)
            * IIF(a.bid_multiplier IS NULL, 1000, CAST(ROUND(a.bid_multiplier * 1000) AS INTEGER)) / 1000,
        COALESCE(m.floor_bid_micros, -9223372036854775807)
    ) AS effective_bid_micros,
    CASE c.objective
        WHEN 'AWARENESS' THEN 'IMPRESSION'
        WHEN 'VIDEO' THEN 'VIDEO_VIEW'
        WHEN 'CONSIDERATION' THEN 'CLICK' WHEN 'CONVERSIONS' THEN 'CLICK' WHEN 'SHOPPING' THEN 'CLICK'
    END AS billing_event,
    MAX(c.daily_budget_micros - COALESCE(s.spent_micros, 0), 0) AS remaining_budget_micros,
    MAX(CAST(julianday(c.ends_on) - julianday(c.starts_on) AS INTEGER) + 1, 0) AS flight_days,
    CASE
        WHEN a.quality_score >= 0.8 THEN 'HIGH'
        WHEN a.quality_score >= 0.4 THEN 'MEDIUM'
        WHEN a.quality_score IS NOT NULL THEN 'LOW'
        ELSE 'UNKNOWN'
    END AS quality_tier,
    (
        SELECT json_group_array(bucket.first || '-' || bucket.last)
        FROM (
            SELECT 18 AS first, 24 AS last UNION ALL SELECT 25, 34 UNION ALL SELECT 35, 44
            UNION ALL SELECT 45, 54 UNION ALL SELECT 55, 64 UNION ALL SELECT 65, 120
        ) AS bucket
        WHERE bucket.first <= COALESCE(NULLIF(t.age_max, 0), 120) AND bucket.last >= COALESCE(t.age_min, 0)
    ) AS "age_buckets [json]",

    p.width AS _width,
    p.height AS _height,

    COALESCE(
        a.status = 'ACTIVE' AND a.review_status IN ('APPROVED', 'EXEMPT') AND g.status = 'ACTIVE' AND c.status = 'ACTIVE'
            AND c.daily_budget_micros > 0 AND v.status = 'ACTIVE',
        0
    ) AS _servable
FROM ads a
LEFT JOIN ad_groups g ON g.id = a.ad_group_id
LEFT JOIN campaigns c ON c.id = g.campaign_id
LEFT JOIN budgets b ON b.id = c.budget_id
LEFT JOIN currencies u ON u.code = b.currency_code
LEFT JOIN spend s ON s.campaign_id = c.id
LEFT JOIN advertisers v ON v.id = c.advertiser_id
LEFT JOIN marketplaces m ON m.id = v.marketplace_id
LEFT JOIN targeting_specs t ON t.id = g.targeting_spec_id
LEFT JOIN creatives r ON r.id = a.creative_id
LEFT JOIN pins p ON p.id = a.pin_id
ORDER BY a.id
