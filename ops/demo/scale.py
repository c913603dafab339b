"""How large a sample database is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Rows of each table.

    hot_campaign_ads     campaign 1 has exactly so many ads
    hot_advertiser_ads   advertiser 2 has exactly so many ads
    (every ad, whatever its advertiser, depends on marketplace 1)
    """

    name: str
    advertisers: int
    campaigns: int
    ad_groups: int
    ads: int
    hot_campaign_ads: int = 50
    hot_advertiser_ads: int = 250

    @property
    def creatives(self) -> int:
        return self.ads // 5

    @property
    def pins(self) -> int:
        return self.ads // 3

    @property
    def targeting_specs(self) -> int:
        return max(self.ad_groups // 4, 4)

    @property
    def budgets(self) -> int:
        return max(self.campaigns // 2, 4)

    @property
    def keywords(self) -> int:
        return min(max(self.ads // 20, 30), 20_000)


SCALES = {
    scale.name: scale
    for scale in (
        Scale("tiny", advertisers=4, campaigns=8, ad_groups=16, ads=60, hot_campaign_ads=10, hot_advertiser_ads=20),
        Scale("small", advertisers=20, campaigns=100, ad_groups=400, ads=2_000),
        Scale("10k", advertisers=50, campaigns=250, ad_groups=1_250, ads=10_000),
        Scale("j4", advertisers=200, campaigns=1_000, ad_groups=5_000, ads=50_000),
        Scale("1m", advertisers=2_000, campaigns=10_000, ad_groups=50_000, ads=1_000_000),
    )
}
