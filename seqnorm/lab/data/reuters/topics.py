"""Topics of Reuters-21578: the label names of its subsets, in the order of the labels."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Keras numbers its 46 topics by their first appearance in the archive.
KERAS46 = _words(
    """
    cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship
    cotton carcass crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin
    strategic-metal livestock retail ipi iron-steel rubber heat jobs lei bop zinc orange pet-chem
    dlr gas silver wpi hog lead
    """
)
# Topics in both parts of the ModApte split.
MODAPTE = _words(
    """
    acq alum barley bop carcass castor-oil cocoa coconut coconut-oil coffee copper copra-cake corn
    cotton cotton-oil cpi cpu crude dfl dlr dmk earn fuel gas gnp gold grain groundnut groundnut-oil
    heat hog housing income instal-debt interest ipi iron-steel jet jobs l-cattle lead lei lin-oil
    livestock lumber meal-feed money-fx money-supply naphtha nat-gas nickel nkr nzdlr oat oilseed
    orange palladium palm-oil palmkernel pet-chem platinum potato propane rand rape-oil rapeseed
    reserves retail rice rubber rye ship silver sorghum soy-meal soy-oil soybean strategic-metal
    sugar sun-meal sun-oil sunseed tea tin trade veg-oil wheat wpi yen zinc
    """
)
# Topics in both parts once documents with several topics are gone.
R52 = _words(
    """
    acq alum bop carcass cocoa coffee copper cotton cpi cpu crude dlr earn fuel gas gnp gold grain
    heat housing income instal-debt interest ipi iron-steel jet jobs lead lei livestock lumber
    meal-feed money-fx money-supply nat-gas nickel orange pet-chem platinum potato reserves retail
    rubber ship strategic-metal sugar tea tin trade veg-oil wpi zinc
    """
)
# The ten most frequent topics without corn and wheat, which come with grain and so are not in R52.
R8 = _words(
    """
    acq crude earn grain interest money-fx ship trade
    """
)
