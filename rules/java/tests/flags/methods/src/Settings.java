package shop;

@ParameterDefinition(namespace = "app")
interface Settings {
    @BoolParam(key = "STALE_FLAG")
    BoolParameter isNewSearch();

    @BoolParam(key = "OTHER_FLAG")
    BoolParameter isNewBasket();
}
