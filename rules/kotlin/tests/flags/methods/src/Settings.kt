package shop

@ParameterDefinition(namespace = "app")
interface Settings {
    @BoolParam(key = "STALE_FLAG")
    fun isNewSearch(): BoolParameter

    @BoolParam(key = "OTHER_FLAG")
    fun isNewBasket(): BoolParameter
}
