package shop

class Search {
    fun find(settings: Settings, text: String): List<Hit> {
        if (settings.isNewSearch().cachedValue) {
            return index.find(text)
        }
        return scan(text, settings.isNewBasket().cachedValue)
    }
}

class SearchTest {
    @ParameterValue(ns = "app", key = "STALE_FLAG", val = "true")
    fun finds() {
        parameters.put(settings.isNewSearch(), true)
        assertEquals(2, search.find(settings, "a").size)
    }

    @ParameterValue(ns = "app", key = "STALE_FLAG", val = "false")
    fun scans() {}
}
