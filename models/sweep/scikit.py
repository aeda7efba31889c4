"""Every estimator and transformer of scikit-learn that skl2onnx exports, and pipelines of them."""

import warnings

import numpy as np
import onnx
import skl2onnx
from skl2onnx._supported_operators import sklearn_operator_name_map
from skl2onnx.common import _container
from skl2onnx.common.data_types import DictionaryType, DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType
from sklearn import calibration, cluster, compose, ensemble, feature_extraction, feature_selection, gaussian_process
from sklearn import impute, linear_model, mixture, model_selection, multiclass, multioutput, naive_bayes, neighbors
from sklearn import neural_network, pipeline, preprocessing, random_projection, svm, tree
from sklearn.base import is_classifier, is_outlier_detector, is_regressor

from sweep.case import FEATURES, SUMMED, Case, classes, numbers, score, sentences, spoilt, unseen, words

# What skl2onnx has for its own use, or what is no estimator of scikit-learn.
NO_ESTIMATORS = {"CastRegressor", "CastTransformer", "ReplaceTransformer", "_ConstantPredictor", "Pipeline",
                 "ColumnTransformer", "FeatureUnion"}  # fmt: skip


def make_node(*arguments, **attributes):
    """protobuf takes neither bools as integers nor arrays, which skl2onnx gives it for HistGradientBoosting."""

    def mend(value):
        if isinstance(value, (list, np.ndarray)):
            value = value.tolist() if isinstance(value, np.ndarray) else value
            return [int(x) if isinstance(x, (bool, np.bool_)) else x for x in value]
        return value

    return onnx.helper.make_node(*arguments, **{name: mend(value) for name, value in attributes.items()})


_container.make_node = make_node

LOCALE = "C.UTF-8"  # which every machine has; lower case is the same

OPSETS = {"": 18, "ai.onnx.ml": 3}
FLOATS = [("x", FloatTensorType([None, FEATURES]))]

logistic = lambda: linear_model.LogisticRegression(max_iter=500)
ridge = lambda: linear_model.Ridge()
small = dict(random_state=7)
few = dict(n_estimators=12, max_depth=5, random_state=7)

# Arguments of those that have to have some, or that would be slow or large without.
MAKE = {
    "AdaBoostClassifier": lambda c: c(n_estimators=10, **small),
    "AdaBoostRegressor": lambda c: c(n_estimators=10, **small),
    "BaggingClassifier": lambda c: c(n_estimators=5, **small),
    "BaggingRegressor": lambda c: c(n_estimators=5, **small),
    "BayesianGaussianMixture": lambda c: c(n_components=3, **small),
    "CalibratedClassifierCV": lambda c: c(logistic()),
    "DecisionTreeClassifier": lambda c: c(max_depth=8, **small),
    "DecisionTreeRegressor": lambda c: c(max_depth=8, **small),
    "ExtraTreesClassifier": lambda c: c(**few),
    "ExtraTreesRegressor": lambda c: c(**few),
    "GaussianMixture": lambda c: c(n_components=3, **small),
    "GaussianProcessRegressor": lambda c: c(alpha=1.0),
    "GaussianRandomProjection": lambda c: c(n_components=3, **small),
    "SparseRandomProjection": lambda c: c(n_components=3, **small),
    "GenericUnivariateSelect": lambda c: c(mode="k_best", param=3),
    "GradientBoostingClassifier": lambda c: c(n_estimators=20, **small),
    "GradientBoostingRegressor": lambda c: c(n_estimators=20, **small),
    "HistGradientBoostingClassifier": lambda c: c(max_iter=20, **small),
    "HistGradientBoostingRegressor": lambda c: c(max_iter=20, **small),
    "GridSearchCV": lambda c: c(logistic(), {"C": [0.1, 1.0]}, cv=3),
    "IncrementalPCA": lambda c: c(n_components=3),
    "IsolationForest": lambda c: c(n_estimators=20, **small),
    "KBinsDiscretizer": lambda c: c(n_bins=4, encode="onehot-dense", quantile_method="averaged_inverted_cdf"),
    "KMeans": lambda c: c(n_clusters=4, n_init=1, **small),
    "MiniBatchKMeans": lambda c: c(n_clusters=4, n_init=1, **small),
    "KernelPCA": lambda c: c(n_components=3, kernel="rbf", **small),
    "LocalOutlierFactor": lambda c: c(novelty=True),
    "MLPClassifier": lambda c: c(hidden_layer_sizes=(20, 10), max_iter=60, **small),
    "MLPRegressor": lambda c: c(hidden_layer_sizes=(20, 10), max_iter=60, **small),
    "MultiOutputClassifier": lambda c: c(logistic()),
    "MultiOutputRegressor": lambda c: c(ridge()),
    "MultiTaskElasticNetCV": lambda c: c(cv=3),
    "MultiTaskLassoCV": lambda c: c(cv=3),
    "NearestNeighbors": lambda c: c(n_neighbors=5, radius=None),
    "NeighborhoodComponentsAnalysis": lambda c: c(n_components=3, max_iter=10, **small),
    "NuSVC": lambda c: c(nu=0.2, probability=True, **small),
    "SVC": lambda c: c(probability=True, **small),
    "OneVsOneClassifier": lambda c: c(logistic()),
    "OneVsRestClassifier": lambda c: c(logistic()),
    "PCA": lambda c: c(n_components=3),
    "PLSRegression": lambda c: c(n_components=2),
    "PolynomialFeatures": lambda c: c(degree=2),
    "QuantileTransformer": lambda c: c(n_quantiles=50, **small),
    "QuantileRegressor": lambda c: c(solver="highs"),
    "RFE": lambda c: c(ridge(), n_features_to_select=3),
    "RFECV": lambda c: c(ridge(), cv=3),
    "RANSACRegressor": lambda c: c(linear_model.LinearRegression(), **small),
    "RadiusNeighborsClassifier": lambda c: c(radius=20.0, outlier_label=0),
    "RadiusNeighborsRegressor": lambda c: c(radius=20.0),
    "RandomForestClassifier": lambda c: c(**few),
    "RandomForestRegressor": lambda c: c(**few),
    "RandomTreesEmbedding": lambda c: c(n_estimators=5, max_depth=3, sparse_output=False, **small),
    "SGDClassifier": lambda c: c(loss="log_loss", **small),
    "SelectFdr": lambda c: c(alpha=0.5),
    "SelectFpr": lambda c: c(alpha=0.5),
    "SelectFwe": lambda c: c(alpha=0.5),
    "SelectFromModel": lambda c: c(ridge()),
    "SelectKBest": lambda c: c(k=3),
    "StackingClassifier": lambda c: c([("a", logistic()), ("b", tree.DecisionTreeClassifier(max_depth=4, **small))], cv=3),
    "StackingRegressor": lambda c: c([("a", ridge()), ("b", tree.DecisionTreeRegressor(max_depth=4, **small))], cv=3),
    "TruncatedSVD": lambda c: c(n_components=3, **small),
    "TunedThresholdClassifierCV": lambda c: c(logistic(), cv=3),
    "TweedieRegressor": lambda c: c(power=1.5),
    "VarianceThreshold": lambda c: c(0.1),
    "VotingClassifier": lambda c: c([("a", logistic()), ("b", naive_bayes.GaussianNB())], voting="soft", flatten_transform=False),
    "VotingRegressor": lambda c: c([("a", ridge()), ("b", linear_model.Lasso())]),
}  # fmt: skip

# Data that is not just float numbers of both signs.
POSITIVE = {"MultinomialNB", "ComplementNB", "TfidfTransformer"}
COUNTS = {"CategoricalNB"}
POSITIVE_TARGET = {"GammaRegressor", "PoissonRegressor", "TweedieRegressor"}
TARGETS = {"MultiOutputClassifier", "MultiOutputRegressor", "MultiTaskElasticNet", "MultiTaskElasticNetCV", "MultiTaskLasso",
           "MultiTaskLassoCV"}  # fmt: skip
# Those that compare or scale, and do not sum.
VALUE_BY_VALUE = ("Tree", "Forest", "Boosting", "Scaler", "Imputer", "Binarizer", "Discretizer")
SMALL = {"GaussianProcessClassifier", "GaussianProcessRegressor"}
UNSUPERVISED_TARGET = {"TargetEncoder"}


def export(estimator, types):
    """The ONNX model; or why there is none."""
    try:
        # Without ZipMap: probabilities as a tensor. Some classifiers have no such option.
        options = {id(estimator): {"zipmap": False}} if is_classifier(estimator) else None
        try:
            model = skl2onnx.to_onnx(estimator, initial_types=types, target_opset=OPSETS, options=options)
        except NameError:
            model = skl2onnx.to_onnx(estimator, initial_types=types, target_opset=OPSETS)
        for node in model.graph.node:
            if node.op_type == "StringNormalizer":
                kept = [attribute for attribute in node.attribute if attribute.name != "locale"]
                del node.attribute[:]
                node.attribute.extend([*kept, onnx.helper.make_attribute("locale", LOCALE)])
        return model
    except Exception as cause:  # whatever a converter meets is what the sweep reports
        return f"{type(cause).__name__}: {cause}".splitlines()[0]


def plain(rng, name, cls):
    """An estimator on numbers."""
    x = numbers(rng)
    if name in POSITIVE:
        x = np.abs(x)
    if name in COUNTS:
        x = np.clip(np.abs(x), 0, 5).round().astype(np.float32)
    estimator = MAKE.get(name, lambda cls: cls())(cls)
    train = x[:100] if name in SMALL else x
    binary = name in ("TunedThresholdClassifierCV", "GaussianProcessClassifier")
    if is_classifier(estimator) or name.startswith("Select") or name in ("GenericUnivariateSelect", "NeighborhoodComponentsAnalysis"):
        y = classes(rng, train, 2 if binary else 3)
    else:
        y = score(rng, train)
    if name in POSITIVE_TARGET:
        y = np.exp(y / 4)
    if name in TARGETS:
        y = np.stack([y, classes(rng, train, 2)], axis=1)
    estimator.fit(train, y)
    most = np.inf if any(part in name for part in VALUE_BY_VALUE) else SUMMED
    ugly = x if name in COUNTS else spoilt(rng, x, most=most)
    # Which rows are nearest to NaN nobody says.
    ugly = {} if name == "NearestNeighbors" else {"x": ugly}
    yield Case(f"sklearn {name}", export(estimator, FLOATS), {"x": x}, ugly)


def text_case(name, estimator, types, rows, ugly, y=None):
    estimator.fit(*([next(iter(rows.values()))] + ([] if y is None else [y])))
    return Case(name, export(estimator, types), rows, ugly)


def strings(rng):
    """Estimators on strings, labels, maps and texts."""
    s, bad = words(rng), None
    bad = unseen(rng, s)
    kinds = [("x", StringTensorType([None, 3]))]
    y = classes(rng, numbers(rng), 2)
    for handle in ("ignore", "infrequent_if_exist"):
        more = dict(min_frequency=0.1) if handle != "ignore" else {}
        encoder = preprocessing.OneHotEncoder(handle_unknown=handle, sparse_output=False, **more)
        yield text_case(f"sklearn OneHotEncoder, {handle}", encoder, kinds, {"x": s}, {"x": bad})
    encoder = preprocessing.OneHotEncoder(drop="first", sparse_output=False)
    yield text_case("sklearn OneHotEncoder, drop first", encoder, kinds, {"x": s}, {})
    encoder = preprocessing.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    yield text_case("sklearn OrdinalEncoder", encoder, kinds, {"x": s}, {"x": bad})
    encoder = preprocessing.TargetEncoder(**small)
    yield text_case("sklearn TargetEncoder", encoder, kinds, {"x": s}, {"x": bad}, y)
    whole = rng.integers(0, 9, (1000, 3))
    encoder = preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    yield text_case("sklearn OneHotEncoder of integers", encoder, [("x", Int64TensorType([None, 3]))], {"x": whole},
                    {"x": rng.integers(-3, 14, (1000, 3))})  # fmt: skip
    one = s[:, 0]
    yield text_case("sklearn LabelEncoder", preprocessing.LabelEncoder(), [("x", StringTensorType([None]))], {"x": one}, {})
    yield text_case("sklearn LabelBinarizer", preprocessing.LabelBinarizer(), [("x", Int64TensorType([None]))],
                    {"x": whole[:, 0]}, {"x": rng.integers(-3, 14, 1000)})  # fmt: skip
    hasher = feature_extraction.FeatureHasher(n_features=16, input_type="string", alternate_sign=True)
    yield text_case("sklearn FeatureHasher", hasher, kinds, {"x": s}, {"x": bad})
    keys = ["age", "city=a", "city=b", "size"]
    table = np.abs(numbers(rng, width=4))
    vectorizer = feature_extraction.DictVectorizer(sparse=False, sort=True)
    vectorizer.fit([dict(zip(keys, row)) for row in table.tolist()])
    types = [("x", DictionaryType(StringTensorType([1]), FloatTensorType([1])))]
    yield Case("sklearn DictVectorizer", export(vectorizer, types), {"x": table}, {}, maps=(("x", keys),))

    texts = sentences(rng)
    other = sentences(rng, vocabulary="the LATE Flight, flight. NEW-YORK äußerst x1 on_time again again!".split())
    column = [("x", StringTensorType([None, 1]))]
    vectorizers = {
        "CountVectorizer": feature_extraction.text.CountVectorizer(),
        "CountVectorizer, 1-2 grams, binary": feature_extraction.text.CountVectorizer(ngram_range=(1, 2), binary=True),
        "CountVectorizer of characters": feature_extraction.text.CountVectorizer(analyzer="char", ngram_range=(1, 2)),
        "TfidfVectorizer": feature_extraction.text.TfidfVectorizer(),
        "TfidfVectorizer, stop words, sublinear": feature_extraction.text.TfidfVectorizer(stop_words=["the", "was"], sublinear_tf=True),
    }
    for name, vectorizer in vectorizers.items():
        vectorizer.fit(texts)
        rows = {"x": texts.reshape(-1, 1)}
        yield Case(f"sklearn {name}", export(vectorizer, column), rows, {"x": other.reshape(-1, 1)})
    model = pipeline.make_pipeline(feature_extraction.text.TfidfVectorizer(), logistic())
    model.fit(texts, y)
    yield Case("pipeline: texts, TF-IDF, logistic", export(model, column), {"x": texts.reshape(-1, 1)}, {"x": other.reshape(-1, 1)})


def labels(rng):
    """String labels, two classes, doubles."""
    x = numbers(rng)
    ugly = {"x": spoilt(rng, x)}
    two, three = classes(rng, x, 2), classes(rng, x, 3)
    names = np.array(["on time", "late", "spät"])
    for title, estimator in {
        "LogisticRegression": logistic(),
        "RandomForestClassifier": ensemble.RandomForestClassifier(**few),
        "HistGradientBoostingClassifier": ensemble.HistGradientBoostingClassifier(max_iter=10, **small),
        "GradientBoostingClassifier": ensemble.GradientBoostingClassifier(n_estimators=10, **small),
        "SVC": svm.SVC(probability=True, **small),
        "LinearSVC": svm.LinearSVC(),
        "GaussianNB": naive_bayes.GaussianNB(),
        "KNeighborsClassifier": neighbors.KNeighborsClassifier(),
        "MLPClassifier": neural_network.MLPClassifier(hidden_layer_sizes=(16,), max_iter=40, **small),
        "SGDClassifier": linear_model.SGDClassifier(loss="modified_huber", **small),
    }.items():
        estimator.fit(x, two)
        yield Case(f"sklearn {title}, 2 classes", export(estimator, FLOATS), {"x": x}, ugly)
        estimator.fit(x, names[three])
        yield Case(f"sklearn {title}, string labels", export(estimator, FLOATS), {"x": x}, ugly)
    model = pipeline.make_pipeline(preprocessing.StandardScaler(), logistic()).fit(x, three)
    types = [("x", DoubleTensorType([None, FEATURES]))]
    rows = {"x": x.astype(np.float64)}
    yield Case("pipeline: scaler, logistic, doubles", export(model, types), rows, {"x": ugly["x"].astype(np.float64)})


def pipelines(rng):
    """ColumnTransformer over strings and numbers, before what people put behind it."""
    x, s = numbers(rng), words(rng)
    sparse = spoilt(rng, x, 0.1)
    table = np.concatenate([x.astype(object), s.astype(object)], axis=1)
    width = list(range(FEATURES))
    kinds = [("numbers", FloatTensorType([None, FEATURES])), ("strings", StringTensorType([None, 3]))]
    rows = {"numbers": x, "strings": s}
    ugly = {"numbers": sparse, "strings": unseen(rng, s)}
    two, amount = classes(rng, x, 2), score(rng, x)
    one_hot = lambda: preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    ordinal = lambda: preprocessing.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    for numeric in ("scaler", "imputer", "quantile", "bins", "passthrough"):
        step = {
            "scaler": preprocessing.StandardScaler(),
            "imputer": pipeline.make_pipeline(impute.SimpleImputer(strategy="median"), preprocessing.RobustScaler()),
            "quantile": preprocessing.QuantileTransformer(n_quantiles=20, **small),
            "bins": preprocessing.KBinsDiscretizer(n_bins=4, encode="onehot-dense", quantile_method="averaged_inverted_cdf"),
            "passthrough": "passthrough",
        }[numeric]  # fmt: skip
        for name, encoder, estimator in [
            ("one-hot, logistic", one_hot(), logistic()),
            ("one-hot, ridge", one_hot(), ridge()),
            ("one-hot, MLP", one_hot(), neural_network.MLPClassifier(hidden_layer_sizes=(16,), max_iter=30, **small)),
            ("ordinal, forest", ordinal(), ensemble.RandomForestClassifier(**few)),
            ("ordinal, boosting", ordinal(), ensemble.HistGradientBoostingClassifier(max_iter=10, **small)),
        ]:
            columns = compose.ColumnTransformer([("n", step, width), ("s", encoder, [6, 7, 8])])
            model = pipeline.make_pipeline(columns, estimator)
            model.fit(table, amount if is_regressor(estimator) else two)
            yield Case(f"pipeline: {numeric}, {name}", export(model, kinds), rows, ugly)
    union = pipeline.make_union(preprocessing.StandardScaler(), preprocessing.PolynomialFeatures(2))
    model = pipeline.make_pipeline(union, ridge()).fit(x, amount)
    yield Case("pipeline: union of scaler and polynomials, ridge", export(model, FLOATS), {"x": x}, {"x": sparse})


def cases(rng):
    warnings.simplefilter("ignore")
    kernel = numbers(rng, 1000, 6)
    kernel = (kernel[:200] @ kernel[:200].T).astype(np.float32)
    centerer = preprocessing.KernelCenterer().fit(kernel)
    types = [("x", FloatTensorType([None, 200]))]
    yield Case("sklearn KernelCenterer", export(centerer, types), {"x": np.tile(kernel, (5, 1))}, {"x": spoilt(rng, np.tile(kernel, (5, 1)), 0.01)})
    of_strings = {"OneHotEncoder", "OrdinalEncoder", "TargetEncoder", "LabelEncoder", "LabelBinarizer", "FeatureHasher",
                  "DictVectorizer", "CountVectorizer", "TfidfVectorizer", "KernelCenterer"}  # fmt: skip
    known = {cls.__name__: cls for cls in sklearn_operator_name_map if isinstance(cls, type)}
    for name in sorted(known):
        if name not in NO_ESTIMATORS | of_strings and known[name].__module__.startswith("sklearn."):
            yield from plain(rng, name, known[name])
    yield from strings(rng)
    yield from labels(rng)
    yield from pipelines(rng)
