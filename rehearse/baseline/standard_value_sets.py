"""The names of standard value sets: no list shows them (facts/metadata.md 1.3), so they are asked for by name.

Those of sales, service, field service, commerce and parties, as the CLI's own registry and the Metadata API guide name
them. An org that lacks one says so in a message, which is no gap; what is not named here is not compared, and a proof
says so (`reset/assumptions`).
"""

from __future__ import annotations

_ACCOUNTS = """
AccountContactMultiRoles AccountContactRole AccountOwnership AccountRating AccountType ContactPointAddressType
ContactPointUsageType ContactRole Industry MilitaryService PartnerRole Salutation SalesTeamRole RoleInTerritory2
"""
_SALES = """
CampaignMemberStatus CampaignStatus CampaignType ContractContactRole ContractStatus EventSubject EventType
FiscalYearPeriodName FiscalYearPeriodPrefix FiscalYearQuarterName FiscalYearQuarterPrefix ForecastingItemCategory
LeadSource LeadStatus OpportunityCompetitor OpportunityStage OpportunityType Product2Family QuantityUnitOfMeasure
QuoteStatus TaskPriority TaskStatus TaskSubject TaskType UnitOfMeasure
"""
_SERVICE = """
CaseContactRole CaseOrigin CasePriority CaseReason CaseStatus CaseType ChangeRequestBusinessReason ChangeRequestCategory
ChangeRequestImpact ChangeRequestPriority ChangeRequestRelatedItemImpactLevel ChangeRequestRiskLevel ChangeRequestStatus
ContactRequestReason ContactRequestStatus EntitlementType IdeaCategory IdeaMultiCategory IdeaStatus IdeaThemeStatus
IncidentCategory IncidentImpact IncidentPriority IncidentRelatedItemImpactLevel IncidentRelatedItemImpactType
IncidentReportedMethod IncidentStatus IncidentSubCategory IncidentType IncidentUrgency ProblemCategory ProblemImpact
ProblemPriority ProblemRelatedItemImpactLevel ProblemRelatedItemImpactType ProblemStatus ProblemSubCategory
ProblemUrgency QuestionOrigin QuickTextCategory QuickTextChannel ServiceContractApprovalStatus SocialPostClassification
SocialPostEngagementLevel SocialPostReviewedStatus SolutionStatus
"""
_FIELD_SERVICE = """
AssetActionCategory AssetRelationshipType AssetStatus AssociatedLocationType CardType CareItemStatus
ConsequenceOfFailure LocationType ProductRequestStatus ResourceAbsenceType ServTerrMemRoleType ServiceAppointmentStatus
WorkOrderLineItemStatus WorkOrderPriority WorkOrderStatus WorkTypeDefApptType WorkTypeGroupAddInfo
"""
_COMMERCE = """
DigitalAssetStatus FinanceEventAction FinanceEventType FulfillmentStatus FulfillmentType OrderItemSummaryChgRsn
OrderStatus OrderSummaryRoutingSchdRsn OrderSummaryStatus OrderType ProcessExceptionCategory ProcessExceptionPriority
ProcessExceptionSeverity ProcessExceptionStatus ReturnOrderLineItemProcessPlan ReturnOrderLineItemReasonForRejection
ReturnOrderLineItemReasonForReturn ReturnOrderLineItemRepaymentMethod ReturnOrderShipmentType ReturnOrderStatus
"""
_PARTIES = """
AssessmentRating AssessmentStatus PIVOverriddenResult PIVResultOverrideReason PIVSVerificationDecision
PIVerificationStepStatus PIVerificationStepType PIVerificationVerifiedBy PIdentityVerificationResult
PIdentityVerificationStatus PartyProfileCountryofBirth PartyProfileEmploymentType PartyProfileFundSource
PartyProfileGender PartyProfileResidentType PartyProfileReviewDecision PartyProfileRiskType PartyProfileStage
PartyScreeningStepType PartyScreeningSummaryStatus
"""
STANDARD_VALUE_SETS: tuple[str, ...] = tuple(
    sorted({*_ACCOUNTS.split(), *_SALES.split(), *_SERVICE.split(), *_FIELD_SERVICE.split(), *_COMMERCE.split(),
            *_PARTIES.split()})
)  # fmt: skip
"""Every known name, sorted."""
