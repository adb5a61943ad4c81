"""The code lists of what was recorded (STUDY B.3): the stored code, then the words for people."""

from trial.code_lists import code_list

SEX = code_list("""
    M           Male
    F           Female
    U           Unknown
    INTERSEX    Intersex
""")
RACE = code_list("""
    WHITE                                        White
    ASIAN                                        Asian
    BLACK OR AFRICAN AMERICAN                    Black or African American
    AMERICAN INDIAN OR ALASKA NATIVE             American Indian or Alaska Native
    NATIVE HAWAIIAN OR OTHER PACIFIC ISLANDER    Native Hawaiian or other Pacific Islander
    OTHER                                        Other
    NOT REPORTED                                 Not reported
    UNKNOWN                                      Unknown
""")
ETHNICITY = code_list("""
    HISPANIC OR LATINO        Hispanic or Latino
    NOT HISPANIC OR LATINO    Not Hispanic or Latino
    NOT REPORTED              Not reported
    UNKNOWN                   Unknown
""")
COHORT = code_list("""
    MAIN          Main
    ADDITIONAL    Additional
""")
QUALIFYING_FEATURE = code_list("""
    PRIMARY REFRACTORY               Primary refractory
    FIRST RELAPSE <=12 MO            First relapse within 12 months of first remission
    RELAPSE <=12 MO AFTER ALLOHSCT   Relapse within 12 months of an allogeneic transplant
    >= SECOND SALVAGE                Second or later salvage
""")
CRITERION = code_list("""
    IN01    Age 18 years or older
    IN02    B-precursor ALL, Philadelphia-negative
    IN03    Poor-prognosis feature (refractory, early relapse, relapse after transplant or later salvage)
    IN04    At least 10 % blasts in the marrow
    IN05    ECOG 0 to 2
    IN06    Life expectancy at least 12 weeks
    IN07    Signed informed consent
    EX01    Philadelphia-positive ALL or Burkitt leukaemia
    EX02    Clinically relevant pathology of the central nervous system
    EX03    Active ALL in the central nervous system or testes
    EX04    Active autoimmune disease, or one that may involve the central nervous system
    EX05    Autologous transplant within 6 weeks of start
    EX06    Allogeneic transplant within 3 months of start
    EX07    Active acute GVHD grade 2 to 4, or active chronic GVHD that needs systemic treatment
    EX08    Systemic treatment against GVHD within 2 weeks of start
    EX09    Chemotherapy or radiotherapy within 2 weeks of start
    EX10    Immunotherapy within 4 weeks of start
    EX11    Investigational product within 4 weeks of start
    EX12    Eligible for allogeneic transplant at enrolment
    EX13    Liver enzymes, bilirubin or creatinine too high, or creatinine clearance too low
    EX14    HIV, or chronic hepatitis B or C
    EX15    Pregnant, nursing, or no effective contraception
    EX16    Earlier treatment with blinatumomab
    EX17    Another active malignancy
    EX18    Active uncontrolled infection, or a condition that makes taking part unsafe
    EX19    Known hypersensitivity to immunoglobulins
""")
PREGNANCY_TEST = code_list("""
    NEG    Negative
    POS    Positive
    ND     Not done
""")
MEDICAL_HISTORY = code_list("""
    GENERAL         General
    NEUROLOGIC      Neurologic
    INFECTION       Infection
    GVHD-RELATED    Related to GVHD
    CARDIAC         Cardiac
    ALLERGY         Allergy
""")
IMMUNOPHENOTYPE = code_list("""
    PRO-B                        Pro-B
    COMMON                       Common
    PRE-B                        Pre-B
    MATURE EXCLUDED              Mature excluded
    BCP NOT FURTHER SPECIFIED    B-cell precursor, not further specified
    UNKNOWN                      Unknown
""")
CYTOGENETICS = code_list("""
    t(9;22)                      t(9;22)
    t(4;11)/KMT2A-r              t(4;11) or another KMT2A rearrangement
    t(1;19)                      t(1;19)
    t(12;21)                     t(12;21)
    HYPERDIPLOID                 Hyperdiploid
    HYPODIPLOID/NEAR-HAPLOID     Hypodiploid or near-haploid
    COMPLEX (>=5)                Complex (5 or more)
    OTHER ABNORMAL               Other abnormal
    NORMAL                       Normal
    FAILED                       Failed
    NOT DONE                     Not done
    UNKNOWN                      Unknown
""")
PHILADELPHIA = code_list("""
    NEGATIVE    Negative
    POSITIVE    Positive
    NOT DONE    Not done
    UNKNOWN     Unknown
""")
DISEASE_STATUS = code_list("""
    PRIMARY REFRACTORY         Primary refractory
    REFRACTORY RELAPSE         Refractory relapse
    UNTREATED FIRST RELAPSE    Untreated first relapse
    UNTREATED LATER RELAPSE    Untreated later relapse
""")
THERAPY = code_list("""
    INDUCTION              Induction
    CONSOLIDATION          Consolidation
    MAINTENANCE            Maintenance
    SALVAGE                Salvage
    CONDITIONING           Conditioning
    DLI                    Donor lymphocyte infusion
    CNS PROPHYLAXIS        CNS prophylaxis
    CAR-T                  CAR-T cells
    OTHER IMMUNOTHERAPY    Other immunotherapy
    RADIOTHERAPY           Radiotherapy
""")
TIMING_TO_TRANSPLANT = code_list("""
    BEFORE            Before the last allogeneic transplant
    AFTER             After the last allogeneic transplant
    NOT APPLICABLE    Not applicable
""")
PRIOR_RESPONSE = code_list("""
    CR               Complete remission
    CRi              Complete remission with incomplete counts
    PR               Partial remission
    NO RESPONSE      No response
    PROGRESSION      Progression
    NOT EVALUATED    Not evaluated
    UNKNOWN          Unknown
""")
TRANSPLANT = code_list("""
    ALLOGENEIC    Allogeneic
    AUTOLOGOUS    Autologous
    SYNGENEIC     Syngeneic
""")
STATUS_AT_TRANSPLANT = code_list("""
    CR1                   First remission
    CR2                   Second remission
    CR3+                  Third or later remission
    PRIMARY REFRACTORY    Primary refractory
    RELAPSE               Relapse
    UNKNOWN               Unknown
""")
DONOR = code_list("""
    MATCHED SIBLING          Matched sibling
    MATCHED RELATED OTHER    Matched other relative
    HAPLOIDENTICAL           Haploidentical
    MATCHED UNRELATED        Matched unrelated
    MISMATCHED UNRELATED     Mismatched unrelated
    CORD BLOOD               Cord blood
    SYNGENEIC                Syngeneic
    UNKNOWN                  Unknown
""")
HLA_MATCH = code_list("""
    10/10
    9/10
    8/10
    <8/10
    8/8
    7/8
    6/8
    6/6 CORD
    5/6 CORD
    4/6 CORD
    HAPLO 5/10
    UNKNOWN       Unknown
""")
GRAFT = code_list("""
    PBSC           Peripheral blood stem cells
    BONE MARROW    Bone marrow
    CORD BLOOD     Cord blood
    PBSC+BM        Peripheral blood stem cells and bone marrow
    UNKNOWN        Unknown
""")
CONDITIONING = code_list("""
    MYELOABLATIVE        Myeloablative
    REDUCED INTENSITY    Reduced intensity
    NON-MYELOABLATIVE    Non-myeloablative
    UNKNOWN              Unknown
""")
TBI = code_list("""
    NONE            None
    <=2 Gy
    >2–<8 Gy
    >=8 Gy
    DOSE UNKNOWN    Dose unknown
""")
GVHD_PROPHYLAXIS = code_list("""
    CNI+MTX                      Calcineurin inhibitor and methotrexate
    CNI+MMF                      Calcineurin inhibitor and mycophenolate
    PTCY-BASED                   Post-transplant cyclophosphamide
    ATG                          Antithymocyte globulin
    ALEMTUZUMAB                  Alemtuzumab
    SIROLIMUS-BASED              Sirolimus
    T-CELL DEPLETION EX VIVO     T-cell depletion ex vivo
    OTHER                        Other
    NONE                         None
    UNKNOWN                      Unknown
""")
CMV = code_list("""
    POS    Positive
    NEG    Negative
    UNK    Unknown
""")
ACUTE_GVHD_GRADE = code_list("""
    I
    II
    III
    IV
    UNK    Unknown
""")
ACUTE_GVHD_SCALE = code_list("""
    MODIFIED GLUCKSBERG    Modified Glucksberg
    MAGIC                  MAGIC
    UNK                    Unknown
""")
CHRONIC_GVHD_SEVERITY = code_list("""
    LIMITED      Limited
    EXTENSIVE    Extensive
    MILD         Mild
    MODERATE     Moderate
    SEVERE       Severe
    UNK          Unknown
""")
ACTIVE_GVHD = code_list("""
    NONE       None
    ACUTE      Acute
    CHRONIC    Chronic
    OVERLAP    Overlap
""")
TRANSPLANT_RELAPSE_SITE = code_list("""
    MARROW            Marrow
    EXTRAMEDULLARY    Extramedullary
    COMBINED          Combined
    MOLECULAR ONLY    Molecular only
""")
CNS_STATUS = code_list("""
    CNS1        CNS 1
    CNS2        CNS 2
    CNS3        CNS 3
    NOT DONE    Not done
""")
EXTRAMEDULLARY_SITE = code_list("""
    LYMPH NODE     Lymph node
    SPLEEN         Spleen
    LIVER          Liver
    MEDIASTINUM    Mediastinum
    TESTIS         Testis
    SKIN           Skin
    BONE           Bone
    CNS            Central nervous system
    OTHER          Other
""")
CONTACT = code_list("""
    ON SITE    On site
    PHONE      Phone
    HOME       Home
    RECORDS    Records
""")
ECOG = code_list("""
    0    0 Fully active
    1    1 Restricted in strenuous activity
    2    2 Up and about more than half of the day
    3    3 In bed or chair more than half of the day
    4    4 Completely disabled
    5    5 Dead
""")
WRITING = code_list("""
    UNCHANGED        Unchanged
    MILD CHANGE      Mild change
    MARKED CHANGE    Marked change
    UNABLE           Unable
""")
VITAL_SIGNS_TIME = code_list("""
    PRE-DOSE    Before the dose
    +1 H        1 hour after
    +2 H        2 hours after
    +4 H        4 hours after
    +8 H        8 hours after
    OTHER       Other
""")
TEMPERATURE_SITE = code_list("""
    ORAL        Oral
    AXILLARY    Axillary
    TYMPANIC    Tympanic
    RECTAL      Rectal
    CORE        Core
""")
VASOPRESSOR = code_list("""
    NONE                     None
    ONE VASOPRESSOR          One vasopressor
    MULTIPLE VASOPRESSORS    Multiple vasopressors
""")
OXYGEN = code_list("""
    NONE                                        None
    LOW-FLOW NC <=6 L/min OR BLOW-BY            Low-flow nasal cannula or blow-by
    HIGH-FLOW NC                                High-flow nasal cannula
    FACEMASK                                    Face mask
    NON-REBREATHER                              Non-rebreather mask
    VENTURI                                     Venturi mask
    CPAP/BIPAP                                  CPAP or BiPAP
    INTUBATION/MECHANICAL VENTILATION           Intubation, mechanical ventilation
""")
ANTIBODY = code_list("""
    NEG    Negative
    POS    Positive
    ND     Not done
""")
READER = code_list("""
    CENTRAL    Central
    LOCAL      Local
""")
SPECIMEN = code_list("""
    ASPIRATE            Aspirate
    BIOPSY              Biopsy
    TOUCH IMPRINT       Touch imprint
    PERIPHERAL BLOOD    Peripheral blood (dry tap)
""")
CELLULARITY = code_list("""
    NORMOCELLULAR     Normocellular
    HYPERCELLULAR     Hypercellular
    HYPOCELLULAR      Hypocellular
    APLASTIC          Aplastic
    NOT ASSESSABLE    Not assessable
""")
QUALIFIER = code_list("""
    =
    <
    <=
    >
""")
CD19 = code_list("""
    POSITIVE    Positive
    DIM         Dim
    NEGATIVE    Negative
    NOT DONE    Not done
""")
MRD_METHOD = code_list("""
    PCR IG/TR     PCR of immunoglobulin or T-cell receptor rearrangements
    PCR FUSION    PCR of a fusion gene
    FLOW          Flow cytometry
    NGS           Sequencing
""")
MRD_RESULT = code_list("""
    NEGATIVE                     Negative (no amplification)
    POSITIVE NOT QUANTIFIABLE    Positive, not quantifiable
    POSITIVE QUANTIFIED          Positive, quantified
    INDETERMINATE                Indeterminate
    NO MARKER                    No marker
    SAMPLE INADEQUATE            Sample inadequate
""")
EXTRAMEDULLARY_METHOD = code_list("""
    EXAM          Examination
    ULTRASOUND    Ultrasound
    CT            CT
    PET-CT        PET-CT
    MRI           MRI
    CSF           Cerebrospinal fluid
    BIOPSY        Biopsy
""")
EXTRAMEDULLARY_STATUS = code_list("""
    NO EVIDENCE               No evidence
    RESOLVED                  Resolved
    PRESENT STABLE/SMALLER    Present, stable or smaller
    PRESENT LARGER            Present, larger
    NEW LESION                New lesion
    NOT ASSESSED              Not assessed
""")
RESPONSE = code_list("""
    CR         Complete remission
    CRh        Complete remission with partial haematological recovery
    CRi        Complete remission with incomplete counts
    BFHM       Blast-free hypoplastic or aplastic marrow
    PR         Partial remission
    NR         Non-response
    PD         Progressive disease
    RELAPSE    Relapse
    NE         Not evaluable
""")
CYCLE = code_list("""
    INDUCTION        Induction
    CONSOLIDATION    Consolidation
    RETREATMENT      Retreatment
""")
DOSE_REASON = code_list("""
    PER PROTOCOL               Per protocol
    STEP-UP                    Step-up
    ADVERSE EVENT              Adverse event
    PROCEDURE/HSCT PLANNING    Procedure or planning of a transplant
    TECHNICAL                  Technical (pump, line, bag change of more than 1 h)
    SUBJECT REQUEST            Wish of the patient
    MEDICATION ERROR           Medication error
    PROGRESSION                Progression
    OTHER                      Other
""")
DOSE_CHANGE = code_list("""
    START           Start
    STEP-UP         Step-up
    RATE CHANGE     Change of rate
    INTERRUPTION    Interruption
    RESTART         Restart
    END OF CYCLE    End of cycle
    STOP            Stop
""")
DEXAMETHASONE_PURPOSE = code_list("""
    PRE-PHASE               Pre-phase
    PREMEDICATION           Premedication
    CRS TREATMENT           Treatment of cytokine release syndrome
    NEUROLOGIC TREATMENT    Treatment of a neurologic event
    GVHD TREATMENT          Treatment of GVHD
    ANTIEMETIC              Against nausea
    OTHER                   Other
""")
FREQUENCY = code_list("""
    ONCE          Once
    QD            Once a day
    BID           Twice a day
    TID           Three times a day
    QID           Four times a day
    Q8H           Every 8 hours
    Q6H           Every 6 hours
    Q4H           Every 4 hours
    PRN           As needed
    CONTINUOUS    Continuous
    OTHER         Other
""")
ROUTE = code_list("""
    INTRAVENOUS               Intravenous
    ORAL                      Oral
    INTRATHECAL               Intrathecal
    SUBCUTANEOUS              Subcutaneous
    INTRAMUSCULAR             Intramuscular
    TOPICAL                   Topical
    RESPIRATORY (INHALATION)  Inhaled
    OTHER                     Other
""")
BLOOD_PRODUCT = code_list("""
    RBC           Red cells
    PLATELETS     Platelets
    FFP           Fresh frozen plasma
    FIBRINOGEN    Fibrinogen
    IVIG          Immunoglobulins
    G-CSF         G-CSF
    OTHER         Other
""")
MEDICATION = code_list("""
    ANTIINFECTIVE        Anti-infective
    STEROID              Steroid
    IMMUNOSUPPRESSANT    Immunosuppressant
    ANTI-CYTOKINE        Anti-cytokine
    ANTICONVULSANT       Anticonvulsant
    ANTICANCER           Anticancer
    INTRATHECAL          Intrathecal
    G-CSF                G-CSF
    OTHER                Other
""")
DOSE_UNIT = code_list("""
    mg      mg
    g       g
    ug      µg
    mg/kg   mg/kg
    mg/m2   mg/m²
    IU      IU
    mL      mL
    OTHER   Other
""")
INDICATION = code_list("""
    AE                 Adverse event
    MEDICAL HISTORY    Medical history
    PROPHYLAXIS        Prophylaxis
    GVHD               GVHD
    OTHER              Other
""")
PROCEDURE = code_list("""
    LUMBAR PUNCTURE + IT THERAPY    Lumbar puncture with intrathecal therapy
    BIOPSY                          Biopsy
    IMAGING                         Imaging
    LINE PLACEMENT                  Line placement
    RADIOTHERAPY                    Radiotherapy
    LEUKAPHERESIS                   Leukapheresis
    OTHER                           Other
""")
INTRATHECAL_DRUG = code_list("""
    MTX        Methotrexate
    ARA-C      Cytarabine
    STEROID    Steroid
""")
STATUS_BEFORE_LATER_TRANSPLANT = code_list("""
    CR/CRh AFTER BLINATUMOMAB    CR or CRh after blinatumomab
    CR AFTER OTHER THERAPY       CR after other therapy
    ACTIVE DISEASE               Active disease
""")
MRD_BEFORE_TRANSPLANT = code_list("""
    NEGATIVE    Negative
    POSITIVE    Positive
    UNK         Unknown
""")
LATER_THERAPY = code_list("""
    CHEMOTHERAPY                Chemotherapy
    INOTUZUMAB                  Inotuzumab
    CAR-T                       CAR-T cells
    BLINATUMOMAB RETREATMENT    Blinatumomab again
    DLI                         Donor lymphocyte infusion
    RADIOTHERAPY                Radiotherapy
    TKI                         Tyrosine kinase inhibitor
    MAINTENANCE                 Maintenance
    OTHER                       Other
""")
LATER_THERAPY_REASON = code_list("""
    NO RESPONSE               No response
    RELAPSE                   Relapse
    MRD                       Minimal residual disease
    BRIDGING/CONSOLIDATION    Bridging or consolidation
    MAINTENANCE               Maintenance
    OTHER                     Other
""")
RELAPSE_SITE = code_list("""
    MARROW            Marrow
    EXTRAMEDULLARY    Extramedullary
    COMBINED          Combined
    CNS               Central nervous system
    MOLECULAR ONLY    Molecular only
""")
RELAPSE_EVIDENCE = code_list("""
    BM BLASTS >5 %    Marrow blasts above 5 %
    BLOOD BLASTS      Blasts in blood
    BIOPSY            Biopsy
    IMAGING           Imaging
    CSF               Cerebrospinal fluid
    MRD >=1e-4        MRD at or above 1e-4
""")
CD19_AT_RELAPSE = code_list("""
    POSITIVE    Positive
    NEGATIVE    Negative
    MIXED       Mixed
    NOT DONE    Not done
""")
SURVIVAL_STATUS = code_list("""
    ALIVE IN REMISSION                          Alive in remission
    ALIVE WITH DISEASE                          Alive with disease
    ALIVE STATUS UNKNOWN                        Alive, disease status unknown
    DEAD                                        Dead
    LOST TO FOLLOW-UP                           Lost to follow-up
    WITHDREW CONSENT FOR SURVIVAL FOLLOW-UP     Withdrew consent for survival follow-up
""")
REMISSION_STATUS = code_list("""
    REMISSION    Remission
    RELAPSE      Relapse
    ACTIVE       Active disease
    UNK          Unknown
""")
CONTACT_SOURCE = code_list("""
    VISIT                     Visit
    PHONE                     Phone
    PHYSICIAN                 Physician
    REGISTRY/PUBLIC RECORD    Registry or public record
""")
DEATH_CAUSE = code_list("""
    ALL / DISEASE PROGRESSION               ALL or its progression
    ADVERSE EVENT – INFECTION               Adverse event: infection
    ADVERSE EVENT – NEUROLOGIC              Adverse event: neurologic
    ADVERSE EVENT – HEMORRHAGE              Adverse event: haemorrhage
    ADVERSE EVENT – CRS                     Adverse event: cytokine release syndrome
    ADVERSE EVENT – OTHER                   Adverse event: other
    GVHD                                    GVHD
    TRANSPLANT COMPLICATION (NON-GVHD)      Transplant complication other than GVHD
    SECOND MALIGNANCY                       Second malignancy
    OTHER                                   Other
    UNKNOWN                                 Unknown
""")
STATUS_AT_DEATH = code_list("""
    REMISSION                    In remission
    RELAPSED                     Relapsed
    ACTIVE/NEVER IN REMISSION    Active disease, never in remission
    UNK                          Unknown
""")
RELATED = code_list("""
    NOT RELATED    Not related
    RELATED        Related
""")
END_OF_TREATMENT = code_list("""
    COMPLETED                       Completed
    ADVERSE EVENT                   Adverse event
    DEATH                           Death
    DISEASE RELAPSE                 Relapse
    PROGRESSIVE DISEASE             Progressive disease
    LACK OF EFFICACY                Lack of efficacy
    PROCEED TO ALLOHSCT             Went on to an allogeneic transplant
    PHYSICIAN DECISION              Decision of the physician
    WITHDRAWAL BY SUBJECT           Withdrawal by the patient
    PROTOCOL DEVIATION              Protocol deviation
    PREGNANCY                       Pregnancy
    LOST TO FOLLOW-UP               Lost to follow-up
    STUDY TERMINATED BY SPONSOR     Study ended by the sponsor
    OTHER                           Other
""")
EXTENT_OF_WITHDRAWAL = code_list("""
    TREATMENT    Treatment; follow-up goes on
    FOLLOW-UP    Treatment, visits and contacts
    ALL          All of these, and any further use of samples
""")
END_OF_STUDY = code_list("""
    DEATH                    Death
    COMPLETED FOLLOW-UP      Completed follow-up
    LOST TO FOLLOW-UP        Lost to follow-up
    WITHDRAWAL OF CONSENT    Withdrawal of consent
    STUDY CLOSED             Study closed
    OTHER                    Other
""")
DEVIATION = code_list("""
    ELIGIBILITY                    Eligibility
    CONSENT                        Consent
    DOSING                         Dosing
    PROHIBITED MEDICATION          Prohibited medication
    PROCEDURE/ASSESSMENT MISSED    Procedure or assessment missed
    VISIT WINDOW                   Visit window
    SAFETY REPORTING               Safety reporting
    LAB/SAMPLE                     Laboratory or sample
    GCP OTHER                      Other good clinical practice
""")
DEVIATION_IMPORTANCE = code_list("""
    MAJOR    Major (important)
    MINOR    Minor
""")
