"""The literature behind the methods, and its numbering in the order in which it is cited."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

REFERENCES: Final = {
    "aalen": "Aalen OO, Johansen S. An empirical transition matrix for non-homogeneous Markov "
    "chains based on censored observations. Scand J Stat 1978;5:141–150.",
    "austin": "Austin PC. Balance diagnostics for comparing the distribution of baseline "
    "covariates between treatment groups in propensity-score matched samples. Stat Med "
    "2009;28:3083–3107.",
    "austin_iptw": "Austin PC, Stuart EA. Moving towards best practice when using inverse "
    "probability of treatment weighting (IPTW) using the propensity score to estimate causal "
    "treatment effects in observational studies. Stat Med 2015;34:3661–3679.",
    "bonawitz": "Bonawitz K, Ivanov V, Kreuter B, et al. Practical secure aggregation for "
    "privacy-preserving machine learning. Proc ACM CCS 2017:1175–1191.",
    "breslow": "Breslow N. Covariance analysis of censored survival data. Biometrics "
    "1974;30:89–99.",
    "cleveland": "Cleveland WS, Devlin SJ. Locally weighted regression: an approach to regression "
    "analysis by local fitting. J Am Stat Assoc 1988;83:596–610.",
    "clopper": "Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in "
    "the case of the binomial. Biometrika 1934;26:404–413.",
    "cox": "Cox DR. Regression models and life-tables. J R Stat Soc B 1972;34:187–220.",
    "dersimonian": "DerSimonian R, Laird N. Meta-analysis in clinical trials. Control Clin Trials "
    "1986;7:177–188.",
    "efron": "Efron B. The efficiency of Cox’s likelihood function for censored data. J Am Stat "
    "Assoc 1977;72:557–565.",
    "fine": "Fine JP, Gray RJ. A proportional hazards model for the subdistribution of a competing "
    "risk. J Am Stat Assoc 1999;94:496–509.",
    "firth": "Firth D. Bias reduction of maximum likelihood estimates. Biometrika 1993;80:27–38.",
    "grambsch": "Grambsch PM, Therneau TM. Proportional hazards tests and diagnostics based on "
    "weighted residuals. Biometrika 1994;81:515–526.",
    "gray": "Gray RJ. A class of K-sample tests for comparing the cumulative incidence of a "
    "competing risk. Ann Stat 1988;16:1141–1154.",
    "greenwood": "Greenwood M. The natural duration of cancer. Reports on Public Health and "
    "Medical Subjects 33. London: HMSO; 1926.",
    "harrell": "Harrell FE. Regression modeling strategies. 2nd ed. Cham: Springer; 2015.",
    "harrell_c": "Harrell FE, Lee KL, Mark DB. Multivariable prognostic models: issues in "
    "developing models, evaluating assumptions and adequacy, and measuring and reducing errors. "
    "Stat Med 1996;15:361–387.",
    "harrington": "Harrington DP, Fleming TR. A class of rank test procedures for censored "
    "survival data. Biometrika 1982;69:553–566.",
    "heinze": "Heinze G, Schemper M. A solution to the problem of monotone likelihood in Cox "
    "regression. Biometrics 2001;57:114–119.",
    "higgins": "Higgins JPT, Thompson SG. Quantifying heterogeneity in a meta-analysis. Stat Med "
    "2002;21:1539–1558.",
    "hundepool": "Hundepool A, Domingo-Ferrer J, Franconi L, et al. Statistical disclosure "
    "control. Chichester: Wiley; 2012.",
    "hyndman": "Hyndman RJ, Fan Y. Sample quantiles in statistical packages. Am Stat "
    "1996;50:361–365.",
    "kaplan": "Kaplan EL, Meier P. Nonparametric estimation from incomplete observations. J Am "
    "Stat Assoc 1958;53:457–481.",
    "liang": "Liang KY, Zeger SL. Longitudinal data analysis using generalized linear models. "
    "Biometrika 1986;73:13–22.",
    "lin": "Lin DY, Wei LJ. The robust inference for the Cox proportional hazards model. J Am Stat "
    "Assoc 1989;84:1074–1078.",
    "mantel": "Mantel N. Evaluation of survival data and two new rank order statistics arising in "
    "its consideration. Cancer Chemother Rep 1966;50:163–170.",
    "mccullagh": "McCullagh P, Nelder JA. Generalized linear models. 2nd ed. London: Chapman and "
    "Hall; 1989.",
    "pan": "Pan W. Akaike’s information criterion in generalized estimating equations. Biometrics "
    "2001;57:120–125.",
    "pearl": "Pearl J. Causality: models, reasoning, and inference. 2nd ed. Cambridge: Cambridge "
    "University Press; 2009.",
    "rosenbaum": "Rosenbaum PR, Rubin DB. The central role of the propensity score in "
    "observational studies for causal effects. Biometrika 1983;70:41–55.",
    "royston": "Royston P, Parmar MKB. Restricted mean survival time: an alternative to the hazard "
    "ratio for the design and analysis of randomized trials with a time-to-event outcome. BMC Med "
    "Res Methodol 2013;13:152.",
    "schemper": "Schemper M, Smith TL. A note on quantifying follow-up in studies of failure time. "
    "Control Clin Trials 1996;17:343–346.",
    "white": "White H. A heteroskedasticity-consistent covariance matrix estimator and a direct "
    "test for heteroskedasticity. Econometrica 1980;48:817–838.",
    "wilson": "Wilson EB. Probable inference, the law of succession, and statistical inference. J "
    "Am Stat Assoc 1927;22:209–212.",
}


@dataclass(slots=True)
class Citations:
    """What has been cited so far, in order."""

    keys: list[str] = field(default_factory=list)

    def cite(self, *keys: str) -> str:
        """Return the numbers of references in brackets, with a space before: " [1,4]"."""
        for key in keys:
            if key not in self.keys:
                self.keys.append(key)
        return f" [{','.join(str(self.keys.index(key) + 1) for key in keys)}]"

    def listed(self) -> tuple[str, ...]:
        """Return the references in the order of their numbers."""
        return tuple(REFERENCES[key] for key in self.keys)
