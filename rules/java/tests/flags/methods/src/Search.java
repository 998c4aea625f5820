package shop;

class Search {
    List<Hit> find(Settings settings, String text) {
        if (settings.isNewSearch().getCachedValue()) {
            return index.find(text);
        }
        return scan(text, settings.isNewBasket().getCachedValue());
    }
}

class SearchTest {
    @ParameterValue(ns = "app", key = "STALE_FLAG", val = "true")
    void finds() {
        parameters.put(settings.isNewSearch(), true);
        assertEquals(2, search.find(settings, "a").size());
    }

    @ParameterValue(ns = "app", key = "STALE_FLAG", val = "false")
    void scans() {}
}
